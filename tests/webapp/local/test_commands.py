import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner, Result

from webapp import VERSION
from webapp.__main__ import main

PROGRAM = ["python", "-m", "webapp"]


def tree(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that lead to it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from tree(below, *path, name)


ALL = dict(tree(main))

every_command = pytest.mark.parametrize("path", ALL, ids=" ".join)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name=" ".join(PROGRAM))


def example(path: tuple[str, ...]) -> list[str]:
    """The words of the command's example, without the program."""
    label, _, line = (ALL[path].epilog or "").partition(": ")
    words = shlex.split(line)
    assert (label, words[:3]) == ("Example", PROGRAM)
    return words[3:]


@every_command
def test_help_says_what_it_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    for option in ("-h", "--help"):
        result = run(*path, option)
        assert (result.exit_code, result.stderr) == (0, "")
        assert (ALL[path].help or "").splitlines()[0] in " ".join(result.stdout.split())
        assert f"  {ALL[path].epilog}" in result.stdout.splitlines(), "it must fit in one line"


@every_command
def test_the_example_is_taken_by_its_command(path: tuple[str, ...]) -> None:
    command, words = ALL[path], example(path)
    assert tuple(words[: len(path)]) == path
    below = words[len(path) :]
    while isinstance(command, click.Group):
        command, below = command.commands[below[0]], below[1:]
    with click.Context(main, help_option_names=["-h", "--help"]) as parent:
        command.make_context("example", below, parent=parent).close()


def test_a_group_lists_its_commands_uncut() -> None:
    assert "..." not in run("--help").stdout.partition("Commands:")[2]


@every_command
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    for parameter in ALL[path].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@every_command
def test_stacks_are_named_alike(path: tuple[str, ...]) -> None:
    command = ALL[path]
    if isinstance(command, click.Group):
        return
    [stack] = [option for option in command.params if option.name == "stack"]
    assert (stack.opts, stack.default) == (["--stack"], "dev")


@pytest.mark.parametrize("path", [path for path in ALL if isinstance(ALL[path], click.Group)])
def test_a_group_alone_shows_its_help(path: tuple[str, ...]) -> None:
    result = run(*path)
    assert result.exit_code == 2
    assert "Commands:" in result.output


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("srve",), "serve"), (("sessions", "lst"), "list"), (("serve", "--prt", "1"), "--port")],
)
def test_a_slip_is_answered_with_what_was_meant(words: tuple[str, ...], meant: str) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Did you mean '{meant}'?" in result.stderr or f"{meant}?" in result.stderr


def test_the_version_is_the_gateways() -> None:
    assert run("--version").stdout == f"Tollgate {VERSION}\n"


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_respected(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def paint() -> None:
        click.secho("red", fg="red")

    monkeypatch.setitem(main.commands, "paint", paint)
    monkeypatch.setenv("NO_COLOR", no_color)
    result = CliRunner().invoke(main, ["paint"], color=True)
    assert ("\x1b[" in result.stdout) == coloured
