"""What a finished archive must prove before it may take the place of another."""

import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from infra import bytecode, wheels
from infra.target import Target, Unbuildable

# Lambda's own limits: for an upload, and for what it unpacks to.
MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024

_ELF_MAGIC = b"\x7fELF"

_HEALTH = {
    "version": "2.0",
    "rawPath": "/health",
    "requestContext": {"http": {"method": "GET", "path": "/health"}, "requestId": "package"},
}
_START = f"""
import json, sys
sys.path.insert(0, sys.argv[1])
from webapp.handler import handler
print(json.dumps(handler({_HEALTH!r}, None)))
"""


def verify(
    archive: Path, requirements: Path, target: Target, report: Callable[[str], None]
) -> None:
    """Sizes, architecture, and a start from nothing but the archive; raises Unbuildable."""
    with (
        tempfile.TemporaryDirectory(prefix="tollgate-") as directory,
        zipfile.ZipFile(archive) as package,
    ):
        check_sizes(archive.stat().st_size, sum(entry.file_size for entry in package.infolist()))
        tree = Path(directory, "task")
        package.extractall(tree)
        check_architecture(tree, target)
        interpreter = next(bytecode.find(target), None)
        if interpreter is None:
            report(f"not started once, for want of a Python {target.python} here")
            return
        if not target.is_native:
            _exchange_libraries(tree, requirements, target, Path(directory, "native"))
        check_start(tree, interpreter)


def check_sizes(zipped: int, unzipped: int) -> None:
    for size, limit, what in (
        (zipped, MAX_ZIPPED_BYTES, "packed"),
        (unzipped, MAX_UNZIPPED_BYTES, "unpacked"),
    ):
        if size > limit:
            raise Unbuildable(
                f"the package is {size:,} bytes {what}, and Lambda takes {limit:,}; "
                "see what has grown: webapp/requirements.in, infra/trimming.py"
            )


def check_architecture(tree: Path, target: Target) -> None:
    for library in _libraries(tree):
        head = library.read_bytes()[:20]
        if head[:4] != _ELF_MAGIC or int.from_bytes(head[18:20], "little") != target.elf_machine:
            raise Unbuildable(
                f"{library.relative_to(tree)} is not for {target.architecture}; "
                "empty pip's cache of it and build again: pip cache purge"
            )


def check_start(tree: Path, interpreter: Path) -> None:
    """Import the handler, with nothing but the tree on the path, and ask for its health."""
    ran = subprocess.run(
        [interpreter, "-I", "-S", "-B", "-c", _START, tree],
        env={"PATH": os.defpath, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said = ran.stdout.splitlines()
    if ran.returncode or not said or json.loads(said[-1])["statusCode"] != 200:
        last = [*ran.stdout.splitlines(), *ran.stderr.splitlines(), "no answer"][-2:][0]
        raise Unbuildable(f"the package does not start under {interpreter}: {last[:300]}")


def _exchange_libraries(tree: Path, requirements: Path, target: Target, native: Path) -> None:
    """This machine cannot load the target's libraries: try the rest with its own in their place."""
    foreign = list(_libraries(tree))
    if not foreign:
        return
    native.mkdir()
    owners = {path.relative_to(tree).parts[0] for path in foreign}
    names = {owner.replace("_", "-") for owner in owners}
    wheels.fetch_native(requirements, names, target, native)
    for path in foreign:
        path.unlink()
    for owner in owners:
        for library in (native / owner).rglob("*.so"):
            shutil.copy(library, tree / library.relative_to(native))


def _libraries(tree: Path) -> Iterator[Path]:
    return tree.rglob("*.so")
