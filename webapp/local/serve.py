"""`serve`: the gateway of a stack, until it is told to stop."""

import os
import signal
import sys
from _thread import interrupt_main
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from webapp.local.overrides import overridden
from webapp.local.requestline import Exchange, RequestLines, readable
from webapp.local.running import Running, running
from webapp.local.watching import PERIOD, Watch, every
from webapp.local.welcome import upstream_lines, welcome
from webapp.settings.files import ROOT
from webapp.settings.mistakes import Mistakes
from webapp.settings.read import Configuration, load


def serve(stack: str, port: int, overrides: Sequence[str], *, as_json: bool = False) -> None:
    """Serves until Ctrl-C or SIGTERM; Mistakes when it cannot."""

    def say(lines: Iterable[str]) -> None:
        """Where only JSON is wanted on stdout, it is for people on stderr."""
        print("\n".join(lines), file=sys.stderr if as_json else sys.stdout, flush=True)

    with suppress(KeyboardInterrupt), _interruptible():
        watch = Watch(ROOT / name for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml"))
        configuration = load(stack)
        chosen = overridden(configuration.settings, overrides)
        say([f"Tollgate, stack {stack}: starting", *warnings(configuration)])
        with running(configuration, port, chosen, RequestLines(printer(as_json))) as gateway:
            say(welcome(gateway))
            follow(watch, every(PERIOD), lambda: say(reloaded(gateway, lambda: load(stack))))


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


def follow(watch: Watch, ticks: Iterable[None], changed: Callable[[], None]) -> None:
    for _ in ticks:
        if watch.changed():
            changed()


def reloaded(gateway: Running, read: Callable[[], Configuration]) -> list[str]:
    """What came of putting changed files in force; with mistakes in them nothing changes."""
    try:
        configuration = read()
    except Mistakes as mistakes:
        return ["not reloaded, what was in force before stays:", *map(str, mistakes.mistakes)]
    before = set(upstream_lines(gateway))
    gateway.take(configuration)
    return [
        f"reloaded: {_extent(gateway)}",
        *warnings(configuration),
        *(line for line in upstream_lines(gateway) if line not in before),
        *(f"--upstream {name}=...: no upstream has this name now" for name in gateway.idle),
    ]


def warnings(configuration: Configuration) -> Iterator[str]:
    return (f"warning: {warning}" for warning in configuration.warnings)


def _extent(gateway: Running) -> str:
    settings = gateway.settings
    parts = (
        (len(settings.routes), "route", "routes"),
        (len(settings.upstreams), "upstream", "upstreams"),
        (len(settings.rate_limits), "policy", "policies"),
    )
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in parts)


def printer(as_json: bool) -> Callable[[Exchange], None]:
    """Prints each request; when whoever read the lines has gone, that ends it like Ctrl-C."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def tell(exchange: Exchange) -> None:
        line = exchange.log if as_json else readable(exchange, colour=colour)
        try:
            # One write a line: other threads print, too.
            sys.stdout.write(f"{line}\n" if line else "")
            sys.stdout.flush()
        except BrokenPipeError:
            interrupt_main()

    return tell
