"""The developer's commands: `python -m webapp COMMAND`. Not part of the package."""

import os

import click

from webapp import VERSION
from webapp.local.commands.check import check
from webapp.local.commands.cost import cost
from webapp.local.commands.explain import explain
from webapp.local.commands.limits import limits
from webapp.local.commands.serve import serve
from webapp.local.commands.sessions import sessions


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: python -m webapp serve --stack dev",
)
@click.version_option(VERSION, prog_name="Tollgate", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Tollgate on a developer's machine.

    A command ends with status 0 when all is well, with 1 when what it looked at is not, and with 2
    when it was called wrongly or the configuration has mistakes (of which `check` says 1).
    """
    if os.environ.get("NO_COLOR"):
        context.color = False


for command in (serve, check, explain, sessions, limits, cost):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m webapp")
