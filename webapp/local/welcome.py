"""What `serve` prints when it has started: where it listens, and lines to paste."""

from collections.abc import Iterator

from webapp.local.deployed import exports
from webapp.local.embedded import upstream_secret
from webapp.local.examples import examples, sign_in
from webapp.local.running import Running
from webapp.local.wire import Request


def welcome(gateway: Running) -> Iterator[str]:
    yield f"Listening on {gateway.url} (Ctrl-C ends it; a changed stack file is taken at once)"
    yield ""
    yield from upstream_lines(gateway)
    yield ""
    yield "Lines to paste:"
    for example in examples(gateway.settings, gateway.url, gateway.demos):
        yield f"\n{example.title}\n  {example.command}"
    if token := ready_token(gateway):
        yield f"\na token that is ready now\n  TOKEN={token}"
    yield "\nso that `python -m webapp sessions` and `limits` in another shell work on these stores"
    yield f"  {exports(gateway.runtime)}"
    yield ""


def upstream_lines(gateway: Running) -> Iterator[str]:
    """Where each upstream is, and what proves to it here that the gateway is asking."""
    for name, upstream in gateway.settings.upstreams.items():
        yield f"upstream {name}: {upstream.url}{' (demo)' if name in gateway.demos else ''}"
        if upstream.secret_header:
            yield f"  is sent {upstream.secret_header}: {upstream_secret(name)}"


def ready_token(gateway: Running) -> str | None:
    """A token from the stack's own sign-in route, when a demo service stands behind one."""
    request = sign_in(gateway.settings, gateway.demos)
    if request is None:
        return None
    fields = (
        ("Host", gateway.url.removeprefix("http://")),
        ("Content-Type", "application/json"),
    )
    answer = gateway.respond(Request("POST", request.path, fields, request.body.encode()))
    headers = {name.lower(): value for name, value in answer.fields}
    return headers.get("tollgate-session-token")
