"""`cost`: the month's bill of a stack."""

import json

import click

from webapp.local.commands.options import json_option, mistakes_reported, stack_option


@click.command(epilog="Example: python -m webapp cost --stack prod --requests 10M")
@stack_option
@click.option("--requests", default="1M", show_default=True, help="A month: 1000000, 1M, 250k.")
@click.option(
    "--upstream-ms",
    default=100,
    show_default=True,
    type=click.IntRange(0, 29_000),
    help="How long the services behind the gateway take.",
)
@json_option
def cost(stack: str, requests: str, upstream_ms: int, as_json: bool) -> None:
    """Tell what a stack costs a month, line by line, at list prices."""
    from webapp.local.statement import statement
    from webapp.local.usage import Load, parse_requests
    from webapp.settings.read import load

    with mistakes_reported():
        wanted = Load(parse_requests(requests), upstream_ms)
        told = statement(stack, load(stack), wanted)
    click.echo(json.dumps(told.document()) if as_json else "\n".join(told.text()))
