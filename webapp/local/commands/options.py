"""What several commands take and report alike."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from webapp.settings.mistakes import Mistakes

stack_option = click.option("--stack", default="dev", show_default=True, help="Pulumi.STACK.yaml")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead.")


@contextmanager
def mistakes_reported() -> Iterator[None]:
    """Ends the command with all of them on stderr and status 2."""
    try:
        yield
    except Mistakes as mistakes:
        click.echo(mistakes, err=True)
        sys.exit(2)
