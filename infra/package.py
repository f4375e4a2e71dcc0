"""Builds the zip that the function runs: `python -m infra.package --stack dev`.

The same inputs give the same bytes on any machine: pip fetches locked wheels for the target,
`trimming` and `sdk` leave out what is not needed, `bytecode` compiles, `archive` packs, and
`verification` starts the result before it may take the place of an older package.
"""

import errno
import hashlib
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_args

from infra import archive, bytecode, sdk, trimming, verification, wheels
from infra.archive import Package
from infra.target import Target, Unbuildable
from webapp.settings import Settings, encode
from webapp.settings.mistakes import Mistakes

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "webapp" / "requirements.txt"
BUILD = ROOT / "build"

# For developers, or for reading stack files; `tests/infra/test_package.py` holds this list to it.
NOT_SHIPPED = (
    "webapp/__main__.py",
    "webapp/local/",
    "webapp/settings/checks/",
    "webapp/settings/decode.py",
    "webapp/settings/files.py",
    "webapp/settings/mistakes.py",
    "webapp/settings/read.py",
    "webapp/settings/stack.py",
)

# What decides how a package comes out of its inputs.
RECIPE = (
    *("archive", "bytecode", "compiler", "package", "sdk"),
    *("target", "trimming", "verification", "wheels"),
)

_KEPT = 8

Report = Callable[[str], None]


def build(
    settings: Settings, target: Target, output: Path, report: Report = lambda _: None
) -> Package:
    """Build the package for these settings at `output`, or leave there what is the same already.

    Raises Unbuildable; then `output` is as it was. `report` is told what takes time.
    """
    try:
        made = BUILD / "packages" / f"{_inputs(settings, target)}.zip"
        if (package := archive.read(made)) is None:
            _make(made, settings, target, report)
            package = archive.read(made)
            assert package is not None
        return archive.place(package, output)
    except OSError as error:
        raise Unbuildable(_reason(error)) from error


def _make(path: Path, settings: Settings, target: Target, report: Report) -> None:
    interpreter = bytecode.interpreter_for(target) if target.bytecode else None
    with tempfile.TemporaryDirectory(prefix="tollgate-") as directory:
        tree = Path(directory, "task")
        report(f"fetching wheels for {target}")
        wheels.fetch(REQUIREMENTS, target, tree)
        trimming.trim(tree)
        sdk.cut(tree)
        _add_gateway(tree, settings)
        if interpreter:
            report(f"compiling with {interpreter}")
            bytecode.compile_tree(tree, interpreter)
        report("packing")
        aside = Path(directory, "package.zip")
        archive.write(tree, aside)
        report("starting it once")
        verification.verify(aside, REQUIREMENTS, target, report)
        with archive.replacing(path) as place:
            place.write_bytes(aside.read_bytes())
    _forget_old(path.parent)


def _add_gateway(tree: Path, settings: Settings) -> None:
    for name, source in shipped():
        place = tree / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(source.read_bytes())
    (tree / "webapp" / "settings.json").write_bytes(encode(settings))


def shipped() -> Iterator[tuple[str, Path]]:
    """The gateway's own modules that go into the package, by the name they have there."""
    for source in sorted((ROOT / "webapp").rglob("*.py")):
        name = source.relative_to(ROOT).as_posix()
        if not name.startswith(NOT_SHIPPED):
            yield name, source


def _inputs(settings: Settings, target: Target) -> str:
    """A name for all that the package is made from."""
    inputs = hashlib.sha256(repr(tuple(target)).encode())
    for module in RECIPE:
        inputs.update(hashlib.sha256((ROOT / "infra" / f"{module}.py").read_bytes()).digest())
    for name, source in shipped():
        inputs.update(hashlib.sha256(name.encode()).digest())
        inputs.update(hashlib.sha256(source.read_bytes()).digest())
    inputs.update(hashlib.sha256(REQUIREMENTS.read_bytes()).digest())
    inputs.update(encode(settings))
    return inputs.hexdigest()[:32]


def _forget_old(packages: Path) -> None:
    # Another build may be tidying up at the same time.
    with suppress(FileNotFoundError):
        by_age = sorted(packages.glob("*.zip"), key=lambda path: path.stat().st_mtime)
        for path in by_age[:-_KEPT]:
            path.unlink()


def _reason(error: OSError) -> str:
    place = f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for the package{place}; free some and try again"
    return f"{error.strerror or error}{place}"


def main(arguments: list[str] | None = None) -> int:
    from webapp.settings.read import load

    options = _options(arguments)
    try:
        configuration = load(options.stack)
        stack = configuration.stack
        target = Target(
            options.runtime or stack.runtime,
            options.architecture or stack.architecture,
            stack.bytecode,
        )
        output = options.output or BUILD / f"tollgate-{options.stack}.zip"
        package = build(configuration.settings, target, output, _progress)
    except (Mistakes, Unbuildable) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{package.path}\n{package.size:,} bytes, {package.files} files, for {target}")
    print(f"sha256 of the contents: {package.digest}")
    return 0


def _options(arguments: list[str] | None) -> Namespace:
    from webapp.settings.stack import Runtime, Stack

    architectures = get_args(Stack.__annotations__["architecture"])
    parser = ArgumentParser("python -m infra.package", description=__doc__)
    parser.add_argument("--stack", required=True, help="Pulumi.STACK.yaml")
    parser.add_argument("--runtime", choices=get_args(Runtime), help="default: the stack's")
    parser.add_argument("--architecture", choices=architectures, help="default: the stack's")
    parser.add_argument("--output", type=Path, help="default: build/tollgate-STACK.zip")
    return parser.parse_args(arguments)


def _progress(line: str) -> None:
    print(f"  {line} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
