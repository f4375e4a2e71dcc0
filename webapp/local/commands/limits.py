"""`limits`: what is counted for one key."""

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from webapp.local.commands.options import json_option, mistakes_reported, stack_option

if TYPE_CHECKING:
    from webapp.local.limits import LimitedKey


@click.group(epilog="Example: python -m webapp limits show ip:198.51.100.7 --stack prod")
def limits() -> None:
    """See, reset or block what is counted for one KEY.

    It takes no deployment. KEY is what a policy counts by, such as ip:198.51.100.7, user:42 or
    user:42|route:orders.
    """


@limits.command(epilog="Example: python -m webapp limits show user:42 --stack prod")
@click.argument("key")
@stack_option
@json_option
def show(key: str, stack: str, as_json: bool) -> None:
    """What is left of each policy, and whether the key is blocked."""
    if as_json:
        _act(stack, key, lambda limited: [json.dumps(limited.state().document())])
    else:
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

    with mistakes_reported():
        settings = load(stack).settings
        limited = LimitedKey(key, settings, lambda: rate_limits(stack), time.time_ns)
        click.echo("\n".join(action(limited)))
