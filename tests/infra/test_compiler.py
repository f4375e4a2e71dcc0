import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import compiler

OWN = '''"""The gateway."""


def fail() -> None:
    """Fail."""
    raise RuntimeError("as told")
'''
OTHER = '''"""A dependency."""

from __future__ import annotations

HOSTS = {"users", "products", "admin"}


class Documented:
    """Nothing but this."""


def listed(name: str) -> bool:
    """Whether it is."""
    assert name, "asserts stay"
    return name in {"users", "products", "admin"}
'''


def compiled(directory: Path, **environ: str) -> Path:
    (directory / "webapp").mkdir(parents=True)
    (directory / "webapp" / "__init__.py").write_text(OWN)
    (directory / "other.py").write_text(OTHER)
    for part in ("own", "rest"):
        subprocess.run(
            [sys.executable, "-I", "-S", compiler.__file__, directory, "webapp", part],
            env={**os.environ, **environ},
            check=True,
        )
    return directory


def contents(tree: Path) -> dict[str, bytes]:
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file()
    }


def ran(tree: Path, code: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(tree)!r}); {code}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False
    )


def test_dependencies_ship_as_bytecode_alone_and_the_gateway_with_its_source(
    tmp_path: Path,
) -> None:
    tag = sys.implementation.cache_tag
    assert set(contents(compiled(tmp_path))) == {
        "other.pyc",
        "webapp/__init__.py",
        f"webapp/__pycache__/__init__.{tag}.pyc",
    }


def test_dependencies_lose_their_docstrings_and_keep_their_asserts(tmp_path: Path) -> None:
    tree = compiled(tmp_path)
    said = ran(
        tree,
        "import other; print(other.__doc__, other.Documented.__doc__, other.listed.__doc__); "
        "print(other.listed('users')); other.listed('')",
    )
    assert said.stdout.splitlines() == ["None None None", "True"]
    assert said.stderr.endswith("AssertionError: asserts stay\n")


def test_tracebacks_of_the_gateway_show_its_lines(tmp_path: Path) -> None:
    said = ran(compiled(tmp_path), "import webapp; print(webapp.__doc__); webapp.fail()")
    assert said.stdout == "The gateway.\n"
    assert 'raise RuntimeError("as told")' in said.stderr


def test_the_bytecode_is_what_python_loads_without_a_look_at_the_clock(tmp_path: Path) -> None:
    tree = compiled(tmp_path)
    cached = Path(importlib.util.cache_from_source(str(tree / "webapp" / "__init__.py")))
    header = cached.read_bytes()[:16]
    assert header[:4] == importlib.util.MAGIC_NUMBER
    assert header[4:8] == b"\x01\0\0\0"
    os.utime(tree / "webapp" / "__init__.py", (1, 1))
    said = ran(tree, "import webapp; print(webapp.__cached__)")
    assert said.stdout.strip() == str(cached)


@pytest.mark.parametrize(
    "environ", [{"PYTHONHASHSEED": "1"}, {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONOPTIMIZE": "2"}]
)
def test_the_bytes_do_not_depend_on_where_or_how_they_are_made(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    here = contents(compiled(tmp_path / "here"))
    there = contents(compiled(tmp_path / "some" / "place" / "else", **environ))
    assert here == there
    assert all(str(tmp_path).encode() not in content for content in here.values())
