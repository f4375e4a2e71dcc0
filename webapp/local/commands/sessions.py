"""`sessions`: who is signed in."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from webapp.local.commands.options import json_option, mistakes_reported, stack_option

if TYPE_CHECKING:
    from webapp.local.desk import Desk


@click.group(epilog="Example: python -m webapp sessions list ada --stack prod")
def sessions() -> None:
    """Make, list and end sessions, or change their roles.

    They work on the tables of a deployed stack, which `pulumi stack output` names, or on those that
    TOLLGATE_SESSIONS_TABLE and TOLLGATE_SIGNING_SECRET_ARN name; `serve` prints a line that sets
    these for its embedded stores.
    """


@contextmanager
def _desk(stack: str) -> "Iterator[Desk]":
    from webapp.local.desk import Desk

    with mistakes_reported():
        yield Desk(stack)


@sessions.command(epilog="Example: python -m webapp sessions create ada --role user")
@click.argument("user")
@click.option("--role", multiple=True, help="As often as there are roles.")
@stack_option
@json_option
def create(user: str, role: tuple[str, ...], stack: str, as_json: bool) -> None:
    """Start a session for USER and print its token."""
    with _desk(stack) as desk:
        started = desk.create(user, role)
        click.echo(json.dumps(started._asdict()) if as_json else started.token)


@sessions.command("list", epilog="Example: python -m webapp sessions list ada --stack prod")
@click.argument("user")
@stack_option
@json_option
def list_sessions(user: str, stack: str, as_json: bool) -> None:
    """List the sessions of USER, the one used last first."""
    from webapp.local.desk import table

    with _desk(stack) as desk:
        listing = desk.listing(user)
    if as_json:
        click.echo(json.dumps({"sessions": [session._asdict() for session in listing]}))
    else:
        click.echo("\n".join(table(listing)))


@sessions.command(epilog="Example: python -m webapp sessions revoke ada --stack prod")
@click.argument("user")
@click.argument("id", required=False)
@stack_option
def revoke(user: str, id: str | None, stack: str) -> None:
    """End the session of USER that `list` shows as ID, or all of them.

    Status 1: there was none to end.
    """
    with _desk(stack) as desk:
        ended = desk.revoke(user, id)
        click.echo(f"ended: {ended}")
        sys.exit(0 if ended else 1)


@sessions.command(epilog="Example: python -m webapp sessions set-roles ada user editor")
@click.argument("user")
@click.argument("roles", metavar="[ROLE]...", nargs=-1)
@stack_option
def set_roles(user: str, roles: tuple[str, ...], stack: str) -> None:
    """Give the running sessions of USER these roles; none at all takes all away.

    Status 1: USER has no session.
    """
    with _desk(stack) as desk:
        changed = desk.set_roles(user, roles)
        click.echo(f"changed: {changed}")
        sys.exit(0 if changed else 1)
