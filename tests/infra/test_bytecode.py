import json
import sys
from pathlib import Path

import pytest

from infra.bytecode import compile_tree, find, interpreter_for
from infra.target import Target, Unbuildable

RUNNING = f"python{sys.version_info.major}.{sys.version_info.minor}"
UNHEARD_OF = Target("python3.99")


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but the running interpreter: PATH is this directory."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return directory


def interpreter(place: Path, implementation: str = "cpython", level: str = "final") -> Path:
    says = json.dumps([implementation, level, [3, 99]])
    return command(place, f"echo '{says}'")


def command(place: Path, line: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{line}\n")
    place.chmod(0o755)
    return place


def test_the_running_interpreter_is_taken_where_it_fits(path: Path) -> None:
    command(path / RUNNING, "exit 1")
    assert interpreter_for(Target(RUNNING)) == Path(sys.executable)


def test_one_on_the_path_is_found(path: Path) -> None:
    there = interpreter(path / "python3.99")
    assert interpreter_for(UNHEARD_OF) == there


def test_one_that_uv_has_installed_is_found(path: Path, tmp_path: Path) -> None:
    managed = interpreter(tmp_path / "uv" / "python3.99")
    command(path / "uv", f'test "$4" = 3.99 && echo {managed}')
    assert interpreter_for(UNHEARD_OF) == managed


def test_one_that_pyenv_has_installed_is_found(path: Path, tmp_path: Path) -> None:
    command(path / "python3.99", "echo 'pyenv: command not found' >&2; exit 127")
    installed = interpreter(tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python3.99")
    assert interpreter_for(UNHEARD_OF) == installed


@pytest.mark.parametrize(("implementation", "level"), [("pypy", "final"), ("cpython", "beta")])
def test_others_compile_to_other_bytecode_and_are_passed_over(
    path: Path, implementation: str, level: str
) -> None:
    interpreter(path / "python3.99", implementation, level)
    assert list(find(UNHEARD_OF)) == []


def test_without_any_the_message_names_three_ways_on() -> None:
    with pytest.raises(Unbuildable) as refused:
        interpreter_for(UNHEARD_OF)
    line = str(refused.value)
    assert "no Python 3.99 to compile for python3.99" in line
    assert "uv python install 3.99" in line
    assert RUNNING in line
    assert "bytecode: false, which costs about" in line
    assert "\n" not in line


def test_a_tree_that_does_not_compile_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def\n")
    with pytest.raises(Unbuildable, match="cannot compile the package: SyntaxError"):
        compile_tree(tmp_path, Path(sys.executable))
