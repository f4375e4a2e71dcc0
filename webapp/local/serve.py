"""`serve`: the gateway of a stack on this machine, with all that surrounds it in the cloud."""

import io
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from msgspec.structs import replace

from webapp.local.demo import demo_upstreams
from webapp.local.deployed import exports
from webapp.local.embedded import embedded_aws
from webapp.local.examples import examples, sign_in
from webapp.local.httpapi import MAX_BODY, MAX_HEAD, http_api
from webapp.local.server import Respond, serving
from webapp.local.wire import Request
from webapp.settings import Runtime, Settings, Upstream
from webapp.settings.checks import upstreams as addresses
from webapp.settings.mistakes import Mistake, Mistakes, shown, suggestion
from webapp.settings.read import Configuration, load


class Running(NamedTuple):
    """A gateway that answers at `url`; `demos` are the upstreams with a demo service."""

    url: str
    settings: Settings
    demos: Collection[str]
    respond: Respond
    runtime: Runtime


def serve(stack: str, port: int, overrides: Sequence[str]) -> None:
    """Serves until Ctrl-C or SIGTERM; Mistakes when it cannot."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # no request's log line waits in a pipe
    with suppress(KeyboardInterrupt), _interruptible():
        configuration = load(stack)
        chosen = overridden(configuration.settings, overrides)
        print(f"Tollgate, stack {stack}: starting")
        with running(configuration, port, chosen) as gateway:
            print("\n".join(_welcome(gateway, ready_token(gateway))))
            threading.Event().wait()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Both ways to end it are KeyboardInterrupt, also where a shell started it with SIGINT off."""
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextmanager
def running(
    configuration: Configuration, port: int, chosen: Mapping[str, str]
) -> Iterator[Running]:
    """The gateway until the block ends, with `chosen` URLs and demo services for the rest."""
    # Not at the top: it costs more than reading a broken stack file takes.
    from webapp.bridge import make_handler
    from webapp.gateway import create_app

    given, stack = configuration.settings, configuration.stack
    with ExitStack() as parts:
        aws = parts.enter_context(embedded_aws())
        demos = parts.enter_context(demo_upstreams(given, given.upstreams.keys() - chosen))
        settings = localised(given, {**demos, **chosen})
        proven = [name for name, upstream in settings.upstreams.items() if upstream.secret_header]
        runtime = aws.runtime(stack.environment, log_level=stack.log_level, upstream_secrets=proven)
        handler = make_handler(create_app(settings, runtime))
        respond = http_api(handler, settings.cors, timeout=stack.timeout)
        url = parts.enter_context(_listening(respond, port))
        yield Running(url, settings, demos, respond, runtime)


@contextmanager
def _listening(respond: Respond, port: int) -> Iterator[str]:
    with ExitStack() as server:
        try:
            listening = serving(respond, port=port, max_head=MAX_HEAD, max_body=MAX_BODY)
            url = server.enter_context(listening)
        except OSError as error:
            remedy = "choose another port, or 0 for any that is free"
            message = f"cannot listen there ({error.strerror}); {remedy}"
            raise Mistakes([Mistake(f"--port {port}", message)]) from None
        yield url


def localised(settings: Settings, urls: Mapping[str, str]) -> Settings:
    """The same gateway without what needs https or an account: plain upstreams, a plain cookie."""
    upstreams = {
        name: replace(upstream, url=urls[name], allow_insecure=True)
        for name, upstream in settings.upstreams.items()
    }
    plain = settings.session.cookie_name.removeprefix("__Host-")
    session = replace(settings.session, cookie_name=plain)
    return replace(settings, upstreams=upstreams, session=session, edge=False, public_host="")


def overridden(settings: Settings, overrides: Sequence[str]) -> dict[str, str]:
    """The URLs that `--upstream NAME=URL` options give, by name; raises Mistakes."""
    found: list[Mistake] = []
    chosen: dict[str, str] = {}
    for override in overrides:
        name, equals, url = override.partition("=")
        place = f"--upstream {override}"
        if not equals:
            found.append(Mistake(place, "write NAME=URL, such as users=http://127.0.0.1:9000"))
        elif name not in settings.upstreams:
            known = suggestion(name, settings.upstreams)
            found.append(Mistake(place, f"no upstream named {shown(name)}{known}"))
        else:
            found += [Mistake(place, message) for message in _wrong_with(name, url)]
        chosen[name] = url
    if found:
        raise Mistakes(found)
    return chosen


def _wrong_with(name: str, url: str) -> list[str]:
    alone = Settings(upstreams={name: Upstream(url=url, allow_insecure=True)})
    return [mistake.message for mistake in addresses.check(alone)]


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


def _welcome(gateway: Running, token: str | None) -> Iterator[str]:
    yield f"Listening on {gateway.url} (Ctrl-C ends it)"
    yield ""
    for name, upstream in gateway.settings.upstreams.items():
        yield f"upstream {name}: {upstream.url}{' (demo)' if name in gateway.demos else ''}"
    yield ""
    yield "Lines to paste:"
    for example in examples(gateway.settings, gateway.url, gateway.demos):
        yield f"\n{example.title}\n  {example.command}"
    if token:
        yield f"\na token that is ready now\n  TOKEN={token}"
    yield "\nso that `python -m webapp sessions` and `limits` in another shell work on these stores"
    yield f"  {exports(gateway.runtime)}"
    yield ""
