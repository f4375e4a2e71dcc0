"""The developer's commands: `python -m webapp COMMAND`. Not part of the package."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from webapp.settings.mistakes import Mistakes

if TYPE_CHECKING:
    from webapp.local.desk import Desk
    from webapp.local.limits import LimitedKey

stack_option = click.option("--stack", default="dev", show_default=True, help="Pulumi.STACK.yaml")


@contextmanager
def _mistakes_reported() -> Iterator[None]:
    try:
        yield
    except Mistakes as mistakes:
        click.echo(mistakes, err=True)
        sys.exit(2)


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

    with _mistakes_reported():
        serve.serve(stack, port, upstream)


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


@main.group()
def limits() -> None:
    """See what is counted for one KEY, start it anew, or shut it out without a deployment.

    KEY is what a policy counts by, such as ip:198.51.100.7, user:42 or user:42|route:orders.
    """


@limits.command(epilog="Example: python -m webapp limits show user:42 --stack prod")
@click.argument("key")
@stack_option
def show(key: str, stack: str) -> None:
    """What is left of each policy, and whether the key is blocked."""
    _act(stack, key, lambda limited: limited.show())


@limits.command(epilog="Example: python -m webapp limits reset user:42 --stack prod")
@click.argument("key")
@stack_option
def reset(key: str, stack: str) -> None:
    """Fill all buckets of the key."""
    _act(stack, key, lambda limited: limited.reset())


@limits.command(epilog="Example: python -m webapp limits block ip:198.51.100.7 --for 2h")
@click.argument("key")
@click.option("--for", "duration", help="How long: 90s, 30m, 2h, 7d. Until unblocked otherwise.")
@stack_option
def block(key: str, duration: str | None, stack: str) -> None:
    """Answer 403 to whoever counts by the key."""
    _act(stack, key, lambda limited: limited.block(duration))


@limits.command(epilog="Example: python -m webapp limits unblock ip:198.51.100.7")
@click.argument("key")
@stack_option
def unblock(key: str, stack: str) -> None:
    """End a block."""
    _act(stack, key, lambda limited: limited.unblock())


def _act(stack: str, key: str, action: Callable[["LimitedKey"], Iterable[str]]) -> None:
    from webapp.local.deployed import rate_limits
    from webapp.local.limits import LimitedKey
    from webapp.settings.read import load

    with _mistakes_reported():
        settings = load(stack).settings
        limited = LimitedKey(key, settings, lambda: rate_limits(stack), time.time_ns)
        click.echo("\n".join(action(limited)))


@main.group()
def sessions() -> None:
    """Make, list and end sessions, or change their roles.

    They work on the tables of a deployed stack, which `pulumi stack output` names, or on those that
    TOLLGATE_SESSIONS_TABLE and TOLLGATE_SIGNING_SECRET_ARN name; `serve` prints a line that sets
    these for its embedded stores.
    """


@contextmanager
def _desk(stack: str) -> "Iterator[Desk]":
    from webapp.local.desk import Desk

    with _mistakes_reported():
        yield Desk(stack)


@sessions.command(epilog="Example: python -m webapp sessions create ada --role user")
@click.argument("user")
@click.option("--role", multiple=True, help="As often as there are roles.")
@stack_option
def create(user: str, role: tuple[str, ...], stack: str) -> None:
    """Start a session for USER and print its token."""
    with _desk(stack) as desk:
        click.echo(desk.create(user, role))


@sessions.command("list", epilog="Example: python -m webapp sessions list ada --stack prod")
@click.argument("user")
@stack_option
def list_sessions(user: str, stack: str) -> None:
    """List the sessions of USER."""
    with _desk(stack) as desk:
        for line in desk.listing(user):
            click.echo(line)


@sessions.command(epilog="Example: python -m webapp sessions revoke ada --stack prod")
@click.argument("user")
@click.argument("id", required=False)
@stack_option
def revoke(user: str, id: str | None, stack: str) -> None:
    """End the session of USER that `list` shows as ID, or all of them."""
    with _desk(stack) as desk:
        ended = desk.revoke(user, id)
        click.echo(f"ended: {ended}")
        sys.exit(1 if id and not ended else 0)


@sessions.command(epilog="Example: python -m webapp sessions set-roles ada user editor")
@click.argument("user")
@click.argument("roles", metavar="[ROLE]...", nargs=-1)
@stack_option
def set_roles(user: str, roles: tuple[str, ...], stack: str) -> None:
    """Give the running sessions of USER these roles; none at all takes all away."""
    with _desk(stack) as desk:
        click.echo(f"changed: {desk.set_roles(user, roles)}")


if __name__ == "__main__":
    main(prog_name="python -m webapp")
