import os
import zipfile
from pathlib import Path

import pytest

from infra import archive
from infra.archive import Package


def a_tree(directory: Path, *, umask: int = 0o022, clock: int = 1_700_000_000) -> Path:
    before = os.umask(umask)
    for name in ("b/two.py", "a.py", "b/one.py"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n" * 50)
        os.utime(path, (clock, clock))
    os.umask(before)
    return directory


def packed(tree: Path, path: Path) -> Package:
    archive.write(tree, path)
    package = archive.read(path)
    assert package is not None
    return package


def test_the_same_files_are_the_same_bytes_whenever_and_by_whom_they_are_packed(
    tmp_path: Path,
) -> None:
    archive.write(a_tree(tmp_path / "mine"), tmp_path / "mine.zip")
    archive.write(a_tree(tmp_path / "yours", umask=0o077, clock=1), tmp_path / "yours.zip")
    assert (tmp_path / "mine.zip").read_bytes() == (tmp_path / "yours.zip").read_bytes()


def test_every_user_of_the_runtime_may_read_what_is_unpacked(tmp_path: Path) -> None:
    archive.write(a_tree(tmp_path / "tree", umask=0o077), tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        entries = opened.infolist()
    assert [entry.filename for entry in entries] == ["a.py", "b/one.py", "b/two.py"]
    assert {entry.external_attr >> 16 & 0o777 for entry in entries} == {0o644}


def test_the_digest_is_of_the_contents_whatever_the_compressor(tmp_path: Path) -> None:
    package = packed(a_tree(tmp_path / "tree"), tmp_path / "a.zip")
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as opened,
        zipfile.ZipFile(tmp_path / "stored.zip", "w") as stored,
    ):
        for name in reversed(opened.namelist()):
            stored.writestr(name, opened.read(name))
    other = archive.read(tmp_path / "stored.zip")
    assert other is not None
    assert (other.digest, other.files) == (package.digest, 3)
    assert other.size != package.size


@pytest.mark.parametrize("change", ["content", "name"])
def test_the_digest_covers_names_and_bytes(tmp_path: Path, change: str) -> None:
    tree = a_tree(tmp_path / "tree")
    before = packed(tree, tmp_path / "a.zip")
    if change == "content":
        (tree / "a.py").write_text("other")
    else:
        (tree / "a.py").rename(tree / "c.py")
    assert packed(tree, tmp_path / "b.zip").digest != before.digest


@pytest.mark.parametrize("cut", [0, 10, 300, -1])
def test_a_damaged_archive_is_none(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.zip"
    archive.write(a_tree(tmp_path / "tree"), path)
    path.write_bytes(path.read_bytes()[:cut])
    assert archive.read(path) is None


def test_a_flipped_bit_is_damage_too(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    archive.write(a_tree(tmp_path / "tree"), path)
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    assert archive.read(path) is None


def test_what_has_the_same_contents_stays_untouched(tmp_path: Path) -> None:
    package = packed(a_tree(tmp_path / "tree"), tmp_path / "a.zip")
    there = tmp_path / "out" / "b.zip"
    assert archive.place(package, there) == package._replace(path=there)
    os.utime(there, (1, 1))
    archive.place(package, there)
    assert there.stat().st_mtime == 1


def test_what_has_other_contents_is_replaced(tmp_path: Path) -> None:
    package = packed(a_tree(tmp_path / "tree"), tmp_path / "a.zip")
    (tmp_path / "b.zip").write_text("no archive")
    archive.place(package, tmp_path / "b.zip")
    assert archive.read(tmp_path / "b.zip") == package._replace(path=tmp_path / "b.zip")


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_text("good")

    def write() -> None:
        with archive.replacing(path) as aside:
            aside.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]
    assert path.read_text() == "good"
