"""The developer's commands: `python -m webapp COMMAND`. Not part of the package."""

import sys

import click

from webapp.settings.mistakes import Mistakes

stack_option = click.option("--stack", default="dev", show_default=True, help="Pulumi.STACK.yaml")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Tollgate on a developer's machine."""


@main.command(epilog="Example: python -m webapp serve --upstream users=http://127.0.0.1:9000")
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

    try:
        serve.serve(stack, port, upstream)
    except Mistakes as mistakes:
        click.echo(mistakes, err=True)
        sys.exit(2)


@main.command(epilog="Example: python -m webapp check --stack prod --strict")
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


if __name__ == "__main__":
    main(prog_name="python -m webapp")
