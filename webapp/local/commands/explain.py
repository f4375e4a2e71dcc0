"""`explain`: why a request gets the answer it gets."""

import json
import sys

import click

from webapp.local.commands.options import json_option, mistakes_reported, stack_option


@click.command(epilog="Example: python -m webapp explain GET /api/v1/users/42 --role user")
@click.argument("method")
@click.argument("path")
@stack_option
@click.option("--role", multiple=True, help="A role of the caller, who then is signed in.")
@click.option("--signed-in", is_flag=True, help="The caller is signed in, without any role.")
@click.option(
    "--address", default="203.0.113.7", show_default=True, help="Where the request comes from."
)
@json_option
def explain(
    method: str,
    path: str,
    stack: str,
    role: tuple[str, ...],
    signed_in: bool,
    address: str,
    as_json: bool,
) -> None:
    """Say what becomes of a request, and why.

    It tells the route and those passed over, the limits, what goes upstream, what it costs. Nothing
    is sent anywhere: the gateway's own steps run, on full limits. METHOD may be in lower case;
    PATH is as a client sends it, with a query if you like. Without --role and --signed-in nobody is
    signed in.

    The status is 0 when the request reaches its upstream or the gateway's own endpoint, 1 when it
    is refused.
    """
    from webapp.local import explanation
    from webapp.local.explain import Question
    from webapp.local.explain import explain as explained
    from webapp.settings import read

    roles = role if role or signed_in else None
    with mistakes_reported():
        found = explained(read.load(stack), Question(method.upper(), path, address, roles))
    if as_json:
        click.echo(json.dumps(found.document()))
    else:
        click.echo("\n".join(explanation.lines(found)))
    sys.exit(1 if found.refusal else 0)
