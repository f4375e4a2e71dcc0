"""Held against the installed packages, which are those that `webapp/requirements.txt` locks."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.metadata import distribution
from pathlib import Path

import pytest

from infra import sdk
from infra.package import REQUIREMENTS
from infra.trimming import CUTS, LARGE, LARGE_BYTES, is_cut, is_expected, trim

# pip leaves its notes in a package only.
_OF_PIP = {"bin/*", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*/tests/*"}


def installed() -> Iterator[tuple[str, int]]:
    """All files of what is locked, as the wheels hold them, with their sizes."""
    for name in re.findall(r"^([\w.-]+)==", REQUIREMENTS.read_text(), re.MULTILINE):
        for file in distribution(name).files or ():
            path = Path(str(file.locate()))
            if ".." not in file.parts and file.suffix != ".pyc":
                yield file.as_posix(), path.stat().st_size


FILES = dict(installed())


@pytest.mark.parametrize("pattern", sorted(CUTS.keys() - _OF_PIP))
def test_every_cut_is_of_something_that_exists(pattern: str) -> None:
    assert any(fnmatchcase(name, pattern) for name in FILES), (
        f"{pattern} matches nothing in the locked packages: drop it from infra.trimming.CUTS"
    )


@pytest.mark.parametrize("pattern", sorted(LARGE))
def test_every_large_file_that_is_accepted_exists_and_is_large(pattern: str) -> None:
    assert any(
        fnmatchcase(name, pattern) and size >= LARGE_BYTES for name, size in FILES.items()
    ), f"{pattern} is large no more: drop it from infra.trimming.LARGE"


def test_no_large_file_ships_unnoticed() -> None:
    unnoticed = {
        name: size
        for name, size in FILES.items()
        if not is_cut(name) and not name.startswith(f"{sdk.DATA}/") and not is_expected(name, size)
    }
    assert not unnoticed, "cut these in infra.trimming.CUTS, or accept them in LARGE with a reason"


def test_every_entry_has_a_reason() -> None:
    assert all([*CUTS.values(), *LARGE.values()])


def test_what_is_listed_goes_and_metadata_keeps_its_headers(tmp_path: Path) -> None:
    for name in ("six.py", "bin/flask", "flask/app.py", "flask/app.pyi", "a.dist-info/RECORD"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    metadata = tmp_path / "a.dist-info" / "METADATA"
    metadata.write_text("Name: a\nVersion: 1\n\nA long description.\n\nOf a.\n")
    trim(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"six.py", "flask/app.py", "a.dist-info/METADATA"}
    assert metadata.read_text() == "Name: a\nVersion: 1\n\n"
