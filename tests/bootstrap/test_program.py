import sys
from pathlib import Path

import pytest
import yaml

from tests.bootstrap.engine import PROJECT, run
from tests.infra.engine import Graph
from webapp.settings.files import ROOT


def test_the_program_finds_its_modules_where_pulumi_starts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "bootstrap"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if Path(p).resolve() != ROOT])
    assert "backend_url" in run().outputs


def test_the_docs_say_what_every_key_and_output_is_for(account: Graph) -> None:
    docs = (ROOT / "docs" / "accounts.md").read_text()
    declared = yaml.safe_load((ROOT / "bootstrap" / "Pulumi.yaml").read_text())
    assert declared["name"] == PROJECT
    assert [name for name in (*declared["config"], *account.outputs) if name not in docs] == []
