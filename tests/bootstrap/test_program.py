import sys
from pathlib import Path

import pytest

from tests.bootstrap.engine import run
from webapp.settings.files import ROOT


def test_the_program_finds_its_modules_where_pulumi_starts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bootstrap"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if Path(p).resolve() != ROOT])
    assert "backend_url" in run().outputs
