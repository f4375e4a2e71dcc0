import json
import re
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webapp.local.embedded import embedded_aws
from webapp.settings.files import ROOT

Run = Callable[..., None]

_PROGRAMS = re.findall(
    r"<<'PY'\n(.*?)^PY$", (ROOT / "docs" / "operating.md").read_text("utf-8"), re.M | re.S
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program of the page that holds `part`, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(part: str, *arguments: str) -> None:
        [program] = [program for program in _PROGRAMS if part in program]
        Path("program.py").write_text(program)
        monkeypatch.setattr("sys.argv", ["-", *arguments])
        runpy.run_path("program.py")

    return run


def row(user: str, ttl: float, **more: Any) -> dict[str, Any]:
    key = {"user_id": {"S": user}, "session_id": {"S": f"hash-of-{user}"}}
    return key | {"ttl": {"N": str(int(ttl))}, **more}


def test_copying_back_brings_what_is_lost_and_leaves_what_is_there(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = time.time() + 60
    ended = row("ada", soon, revoked_at={"N": "1"})
    lost, dead = row("grace", soon), row("linus", soon - 120)
    with embedded_aws() as aws:
        restored, own = (aws.runtime("docs").sessions_table for _ in range(2))
        for item in (row("ada", soon), lost, dead):
            aws.dynamodb.put_item(TableName=restored, Item=item)
        aws.dynamodb.put_item(TableName=own, Item=ended)
        run("put_item", restored, own)
        found = aws.dynamodb.scan(TableName=own)["Items"]
    assert sorted(found, key=lambda item: item["user_id"]["S"]) == [ended, lost]
    assert capsys.readouterr().out == "copied 1, left 1 as they were\n"


def test_the_state_is_told_the_new_name_of_that_table_alone(run: Run) -> None:
    def table(name: str) -> dict[str, Any]:
        inputs = {"name": name, "__defaults": ["name"]}
        outputs = {"name": name, "arn": f"arn:aws:dynamodb:r:1:table/{name}"}
        kind = "aws:dynamodb/table:Table"
        return {"type": kind, "id": name, "inputs": inputs, "outputs": outputs}

    others = [
        {"type": "pulumi:pulumi:Stack"},
        table("sessions-1a2"),
        {"type": "aws:lambda/function:Function", "id": "f", "inputs": {"table": "sessions-1a"}},
    ]
    before = {"deployment": {"resources": [*others, table("sessions-1a")]}}
    Path("state.json").write_text(json.dumps(before))
    run("state.json", "sessions-1a", "sessions-1a-restored")
    after = json.loads(Path("state.json").read_text())
    assert after == {"deployment": {"resources": [*others, table("sessions-1a-restored")]}}
