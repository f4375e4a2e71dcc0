"""What `serve` prints when it has started: where it listens, and lines to paste."""

import time
from collections.abc import Iterator

from webapp.keys import Keys
from webapp.local.deployed import exports
from webapp.local.embedded import upstream_secret
from webapp.local.examples import USER, Example, examples, member_roles
from webapp.local.running import Running
from webapp.sessions import Device, Sessions
from webapp.tables import Stores
from webapp.tokens import Tokens

_HERE = Device("", "python -m webapp serve")


def welcome(gateway: Running) -> Iterator[str]:
    yield f"Listening on {gateway.url} (Ctrl-C ends it; a changed stack file is taken at once)"
    yield ""
    yield from upstream_lines(gateway)
    yield ""
    yield "Lines to paste:"
    token = Example("a token that is ready now", f"TOKEN={ready_token(gateway)}")
    for example in (token, *examples(gateway.settings, gateway.url, gateway.demos)):
        yield f"\n{example.title}\n  {example.command}"
    yield "\nso that `python -m webapp sessions` and `limits` in another shell work on these stores"
    yield f"  {exports(gateway.runtime)}"
    yield ""


def upstream_lines(gateway: Running) -> Iterator[str]:
    """Where each upstream is, and what proves to it here that the gateway is asking."""
    for name, upstream in gateway.settings.upstreams.items():
        yield f"upstream {name}: {upstream.url}{' (demo)' if name in gateway.demos else ''}"
        if upstream.secret_header:
            yield f"  is sent {upstream.secret_header}: {upstream_secret(name)}"


def ready_token(gateway: Running) -> str:
    """Of a session in the embedded stores, whatever the service is that signs others in."""
    runtime, settings = gateway.runtime, gateway.settings
    stores = Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)
    tokens = Tokens(Keys(stores, runtime.signing_secret_arn, time.time_ns), time.time_ns)
    sessions = Sessions(stores, settings.session, time.time_ns)
    return tokens.sign(sessions.start(USER, member_roles(settings), _HERE))
