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
def serve(stack: str, port: int, upstream: tuple[str, ...]) -> None:
    """Run the gateway with the routes of a stack, on embedded stores."""
    from webapp.local import serve

    with mistakes_reported():
        serve.serve(stack, port, upstream)
