"""`serve`: the gateway on this machine."""

import click

from webapp.local.commands.options import mistakes_reported, stack_option


@click.command(epilog="Example: python -m webapp serve --upstream users=http://127.0.0.1:9000")
@stack_option
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any free one"
)
@click.option(
    "--upstream", multiple=True, metavar="NAME=URL", help="Your own service; a demo otherwise."
)
@click.option("--json", "as_json", is_flag=True, help="Print the log lines of Lambda, only them.")
def serve(stack: str, port: int, upstream: tuple[str, ...], as_json: bool) -> None:
    """Run the gateway with the routes of a stack, on embedded stores.

    It prints a line a request and takes a changed Pulumi.yaml or Pulumi.STACK.yaml at once;
    sessions and counters stay. Ctrl-C ends it.
    """
    from webapp.local import serve

    with mistakes_reported():
        serve.serve(stack, port, upstream, as_json=as_json)
