"""The developer's commands: `python -m webapp COMMAND`. Not part of the package."""

import click

from webapp.local.commands.check import check
from webapp.local.commands.limits import limits
from webapp.local.commands.serve import serve
from webapp.local.commands.sessions import sessions


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Tollgate on a developer's machine."""


for command in (serve, check, sessions, limits):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m webapp")
