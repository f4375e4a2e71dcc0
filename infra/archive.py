"""Zip files that are the same bytes wherever they are written, and the digest of their contents."""

import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE_BY_ALL = 0o100644 << 16
_UNIX = 3


class Package(NamedTuple):
    """An archive. `digest` covers names and bytes, whatever the compressor made of them."""

    path: Path
    size: int
    files: int
    digest: str


def write(tree: Path, path: Path) -> None:
    """Pack all files below `tree`; the archive appears whole or not at all."""
    with replacing(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name in sorted(_names(tree)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE_BY_ALL
            archive.writestr(entry, (tree / name).read_bytes(), zipfile.ZIP_DEFLATED, 9)


def read(path: Path) -> Package | None:
    """None where there is no archive, or one that is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            return Package(path, path.stat().st_size, len(names), _digest(archive, names))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError):
        return None


def place(package: Package, path: Path) -> Package:
    """Put a copy at `path`, unless what is there has the same contents already."""
    there = read(path)
    if there is not None and there.digest == package.digest:
        return there
    with replacing(path) as aside:
        shutil.copyfile(package.path, aside)
    return package._replace(path=path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write aside, which takes the place of `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _names(tree: Path) -> Iterator[str]:
    return (path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())


def _digest(archive: zipfile.ZipFile, names: Iterable[str]) -> str:
    contents = hashlib.sha256()
    for name in sorted(names):
        contents.update(hashlib.sha256(name.encode()).digest())
        contents.update(hashlib.sha256(archive.read(name)).digest())
    return contents.hexdigest()
