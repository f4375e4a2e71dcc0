"""`check`: the mistakes in a stack's configuration."""

import json
import sys

import click

from webapp.local.commands.options import json_option, stack_option


@click.command(epilog="Example: python -m webapp check --stack prod --strict")
@stack_option
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--production", is_flag=True, help="Go through the production checklist, too.")
@json_option
def check(stack: str, strict: bool, production: bool, as_json: bool) -> None:
    """Validate the configuration of a stack and name every mistake.

    A warning is what works as written and is probably not meant. The production checklist says
    what is met, what is not and how to mend it, what is only advised, and what no configuration
    can tell: the page in docs/ is named.

    The status is 1 for a mistake, for a warning with --strict, for what the checklist finds not
    met; else 0.
    """
    from webapp.local.report import report

    found = report(stack, strict=strict, production=production)
    click.echo(json.dumps(found.document()) if as_json else "\n".join(found.lines()))
    sys.exit(0 if found.passes else 1)
