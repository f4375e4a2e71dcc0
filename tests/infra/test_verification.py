import sys
from pathlib import Path

import pytest

from infra.target import Target, Unbuildable
from infra.verification import (
    MAX_UNZIPPED_BYTES,
    MAX_ZIPPED_BYTES,
    check_architecture,
    check_sizes,
    check_start,
)

X86_64, AARCH64 = 62, 183


def library(path: Path, machine: int, magic: bytes = b"\x7fELF") -> None:
    path.write_bytes(magic + bytes(14) + machine.to_bytes(2, "little") + bytes(40))


def gateway(tree: Path, code: str) -> Path:
    (tree / "webapp").mkdir()
    (tree / "webapp" / "__init__.py").touch()
    (tree / "webapp" / "handler.py").write_text(code)
    return tree


def test_what_lambda_takes_passes() -> None:
    check_sizes(MAX_ZIPPED_BYTES, MAX_UNZIPPED_BYTES)


@pytest.mark.parametrize(
    ("zipped", "unzipped", "what"),
    [(MAX_ZIPPED_BYTES + 1, 1, " packed"), (1, MAX_UNZIPPED_BYTES + 1, " unpacked")],
)
def test_what_is_too_large_for_lambda_is_refused(zipped: int, unzipped: int, what: str) -> None:
    with pytest.raises(Unbuildable, match=f"{what}, and Lambda takes"):
        check_sizes(zipped, unzipped)


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", AARCH64), ("x86_64", X86_64)])
def test_libraries_of_the_architecture_pass(
    tmp_path: Path, architecture: str, machine: int
) -> None:
    library(tmp_path / "a.so", machine)
    check_architecture(tmp_path, Target(architecture=architecture))


@pytest.mark.parametrize(
    ("machine", "magic"), [(X86_64, b"\x7fELF"), (AARCH64, b"\xcf\xfa\xed\xfe")]
)
def test_a_library_of_another_machine_is_named(tmp_path: Path, machine: int, magic: bytes) -> None:
    library(tmp_path / "a.so", machine, magic)
    with pytest.raises(Unbuildable, match=r"^a\.so is not for arm64"):
        check_architecture(tmp_path, Target(architecture="arm64"))


def test_a_handler_that_answers_passes(tmp_path: Path) -> None:
    code = (
        "def handler(event, context):\n    return {'statusCode': 200, 'path': event['rawPath']}\n"
    )
    check_start(gateway(tmp_path, code), Path(sys.executable))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import flask", "No module named 'flask'"),
        ("def handler(event, context): return {'statusCode': 500}", "500"),
        ("raise SystemExit(0)", "no answer"),
    ],
)
def test_one_that_does_not_is_refused(tmp_path: Path, code: str, says: str) -> None:
    with pytest.raises(Unbuildable, match=f"does not start .*{says}"):
        check_start(gateway(tmp_path, code), Path(sys.executable))


def test_nothing_of_this_environment_reaches_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    code = (
        "import os, sys\nassert 'AWS_REGION' not in os.environ\n"
        "assert not any('elsewhere' in place for place in sys.path)\n"
        "def handler(event, context): return {'statusCode': 200}\n"
    )
    check_start(gateway(tmp_path, code), Path(sys.executable))
