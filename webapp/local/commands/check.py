"""`check`: the mistakes in a stack's configuration."""

import sys

import click

from webapp.local.commands.options import stack_option
from webapp.settings.mistakes import Mistakes


@click.command(epilog="Example: python -m webapp check --stack prod --strict")
@stack_option
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def check(stack: str, strict: bool) -> None:
    """Validate the configuration of a stack and name every mistake."""
    from webapp.settings.read import load

    try:
        configuration = load(stack)
    except Mistakes as mistakes:
        click.echo(mistakes)
        sys.exit(1)
    settings, warnings = configuration.settings, configuration.warnings
    for warning in warnings:
        click.echo(f"warning: {warning}")
    refused = strict and warnings
    click.echo(
        f"{stack}: {'refused by --strict' if refused else 'OK'}"
        f" (routes: {len(settings.routes)}, upstreams: {len(settings.upstreams)},"
        f" policies: {len(settings.rate_limits)}, warnings: {len(warnings)})"
    )
    sys.exit(1 if refused else 0)
