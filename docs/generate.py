"""What is generated in the pages: `make docs` writes it, a test holds it current.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`. A NAME that begins with
`python -m webapp` is a command, and the block shows what it prints.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from click.testing import CliRunner

from webapp.__main__ import main as commands
from webapp.local import reference, schema
from webapp.settings.files import ROOT

_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_COMMAND = "python -m webapp "
_DETAILS = "docs/configuration.md"

BLOCKS: Mapping[str, Callable[[], str]] = {
    "errors": reference.errors,
    "commands": lambda: command_table(commands),
    "gateway-keys": lambda: reference.overview(reference.OF_THE_GATEWAY, _DETAILS),
    "stack-keys": lambda: reference.overview(reference.OF_THE_STACK, _DETAILS),
    "gateway-reference": lambda: reference.reference(reference.OF_THE_GATEWAY),
    "stack-reference": lambda: reference.reference(reference.OF_THE_STACK),
}


def generated() -> Iterator[tuple[Path, str]]:
    """Each file that is generated or holds a block, as it should be."""
    yield ROOT / schema.FILE, json.dumps(schema.stack_file(), indent=2) + "\n"
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text("utf-8")
        if _BLOCK.search(text):
            yield page, _BLOCK.sub(_filled, text)


def stale() -> list[Path]:
    """The files that are not as they should be."""
    return [
        file for file, text in generated() if not file.exists() or file.read_text("utf-8") != text
    ]


def command_table(group: click.Group) -> str:
    """Each command with what it does, in the order of its help."""
    told = [(name, command.get_short_help_str(200)) for name, command in group.commands.items()]
    return reference.table(("command", "what it does"), ((f"`{n}`", said) for n, said in told))


def _filled(block: re.Match[str]) -> str:
    name = block[2]
    content = _printed(name) if name.startswith(_COMMAND) else BLOCKS[name]()
    return f"{block[1]}{content}\n{block[3]}"


def _printed(line: str) -> str:
    done = CliRunner().invoke(commands, shlex.split(line.removeprefix(_COMMAND)))
    return f"```console\n$ {line}\n{done.stdout.rstrip()}\n```"


def main() -> None:
    files = list(generated())
    for file, text in files:
        file.write_text(text, "utf-8")
    print("written:", ", ".join(file.name for file, _ in files))


if __name__ == "__main__":
    main()
