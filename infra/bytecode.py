"""Bytecode of the runtime's version of Python, and where on this machine to find that version."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra import compiler
from infra.target import Target, Unbuildable

# Measured by bench/package.py.
_COST = "about 0.7 s more at every cold start"

_ASK = (
    "import json, sys; v = sys.version_info; "
    "print(json.dumps([sys.implementation.name, v.releaselevel, [v.major, v.minor]]))"
)


# Columns in tracebacks, a fifth of the package, mark places in lines of source: without the one
# nobody misses the other.
_PARTS = {"own": (), "rest": ("-X", "no_debug_ranges")}


def compile_tree(tree: Path, interpreter: Path) -> None:
    """Compile all modules below `tree` in place; the gateway's own keep their source."""
    for part, options in _PARTS.items():
        _compile(tree, interpreter, part, options)


def _compile(tree: Path, interpreter: Path, part: str, options: Iterable[str]) -> None:
    ran = subprocess.run(
        [interpreter, "-I", "-S", "-X", "utf8", *options, compiler.__file__, tree, "webapp", part],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode:
        last = (ran.stderr.splitlines() or ["no output"])[-1]
        raise Unbuildable(f"{interpreter} cannot compile the package: {last}")


def interpreter_for(target: Target) -> Path:
    """An interpreter of the runtime's version. Raises Unbuildable naming the ways on."""
    found = next(find(target), None)
    if found is None:
        raise Unbuildable(
            f"no Python {target.python} to compile for {target.runtime} (looked at the running "
            f"one, PATH, uv and pyenv): install it (uv python install {target.python}), set "
            f"runtime to the version you have (python{_running()}), or set bytecode: false, "
            f"which costs {_COST}"
        )
    return found


def find(target: Target) -> Iterator[Path]:
    """The interpreters of the runtime's version on this machine: the running one, then others."""
    for candidate in _candidates(target.python):
        if _is(candidate, target):
            yield candidate


def _candidates(python: str) -> Iterator[Path]:
    if python == _running():
        yield Path(sys.executable)
    if on_path := shutil.which(f"python{python}"):
        yield Path(on_path)
    # `make` installs uv beside the interpreter, which need not be on PATH.
    places = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"
    if uv := shutil.which("uv", path=places):
        yield from map(Path, _output(uv, "python", "find", "--no-python-downloads", python))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{python}.*/bin/python{python}"), reverse=True)


def _is(candidate: Path, target: Target) -> bool:
    """A shim may stand for a version that is not installed, and a preview compiles otherwise."""
    said = _output(str(candidate), "-I", "-S", "-c", _ASK)
    return said == [json.dumps(["cpython", "final", list(target.version)])]


def _output(*command: str) -> list[str]:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ran.stdout.splitlines() if ran.returncode == 0 else []


def _running() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
