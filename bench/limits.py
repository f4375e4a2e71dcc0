"""The figures of the rate limits: what they cost, that they hold, and what they lose.

Containers of the shipped limiter over one table in memory, on a simulated clock, beside two other
designs under the same load: `python -m bench.limits`. The plot is `build/limits.svg`.
"""

import datetime
import random
import time
from collections.abc import Iterator
from pathlib import Path

from bench.limiting import plot
from bench.limiting.designs import DESIGNS, Policy, Tollgate
from bench.limiting.load import START, Load, Result, each, play
from webapp import gcra
from webapp.gcra import NANOSECONDS, Bucket

OUTCOMES = (
    "| design | containers | admitted / allowed | over | writes a request | $ a million |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
)

PLOT = Path(__file__).parent.parent / "build" / "limits.svg"
FLEETS = (4, 16, 64)

MINUTE = Policy(limit=6_000, window=60)
HOURLY = Policy(limit=100_000, window=3_600)
SMALL = Policy(limit=100, window=60)
TWO_WINDOWS = (
    Bucket("second", gcra.interval(10, 1), 10),
    Bucket("day", gcra.interval(1_000, 86_400), 1_000),
)


def main() -> None:
    began = time.monotonic()
    print(f"{datetime.date.today()}, simulated clock\n")
    for lines in (_writes(), _overload(), _edge(), _curve()):
        print("\n".join(lines) + "\n", flush=True)
    print(f"{time.monotonic() - began:.0f} s")


def _writes() -> Iterator[str]:
    yield "Writes a request"
    yield "| load | containers | requests | writes a request | at most |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    yield _mixed(1, "1.01")
    yield _mixed(16, "")
    busy = play(Load(4, 200, 120), MINUTE, Tollgate(4, [MINUTE.bucket], leases=False))
    yield _row("one busy key, exact", 4, busy.requests, busy.writes, "1.00")
    for containers in (1, *FLEETS):
        load = Load(containers, 40 * containers, 60)
        hot = play(load, HOURLY, Tollgate(containers, [HOURLY.bucket]))
        target = "0.10" if containers < 64 else ""
        yield _row(
            "one hot key, leased: 40 a second each", containers, hot.requests, hot.writes, target
        )
    for containers, target in ((1, "0.01"), (4, ""), (16, "")):
        flood = play(Load(containers, 200, 120), SMALL, Tollgate(containers, [SMALL.bucket]))
        refused = flood.requests - flood.admitted
        wasted = max(flood.writes - flood.admitted, 0)
        yield _row("refused: a flood of 120 times the limit", containers, refused, wasted, target)


def _mixed(containers: int, target: str) -> str:
    """Users with two windows each, asking now and then."""
    design, chance = Tollgate(containers, TWO_WINDOWS), random.Random(8)  # noqa: S311
    load = Load(containers, 100, 600)
    requests, _ = each(load, lambda c, now: design.admits(c, now, f"user:{chance.randrange(300)}"))
    name = "mixed keys, exact: 300 users, 10 a second and 1,000 a day"
    return _row(name, containers, requests, design.writes, target)


def _row(name: str, containers: int, requests: int, writes: int, target: str) -> str:
    return f"| {name} | {containers} | {requests:,} | {writes / requests:.3f} | {target} |"


def _overload() -> Iterator[str]:
    yield f"Twice the limit of {MINUTE.limit:,} in {MINUTE.window} s, for three windows"
    yield from OUTCOMES
    for name, make in DESIGNS.items():
        for containers in FLEETS:
            result = play(Load(containers, 200, 180), MINUTE, make(containers, MINUTE))
            yield _outcome(name, containers, result)


def _edge() -> Iterator[str]:
    """Where fixed windows fail: one is spent at its very end, the next at its beginning."""
    yield "12,000 requests in the 10 s around the edge of a minute, same limit"
    yield from OUTCOMES
    start = START + 55 * NANOSECONDS
    for name, make in DESIGNS.items():
        result = play(Load(16, 1_200, 10, start), MINUTE, make(16, MINUTE))
        yield _outcome(name, 16, result)


def _outcome(name: str, containers: int, result: Result) -> str:
    return (
        f"| {name} | {containers} | {result.admitted / result.allowed:.3f} | {result.over:,}"
        f" | {result.writes / result.requests:.3f} | {result.dollars:.3f} |"
    )


def _curve() -> Iterator[str]:
    """Admitted against offered load, from 16 containers in one window."""
    factors = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4)
    lines: dict[str, list[tuple[float, float]]] = {name: [] for name in (*DESIGNS, "allowed")}
    for factor in factors:
        load = Load(16, factor * MINUTE.limit / MINUTE.window, 3 * MINUTE.window)
        for name, make in DESIGNS.items():
            result = play(load, MINUTE, make(16, MINUTE))
            lines[name].append((factor, result.admitted))
        lines["allowed"].append((factor, result.allowed))
    title = f"{MINUTE.limit:,} in {MINUTE.window} s, 16 containers, three windows"
    plot.write(PLOT, title, ("offered load / limit", "requests admitted"), lines)
    yield f"Admitted against offered load: {PLOT.relative_to(PLOT.parent.parent)}"


if __name__ == "__main__":
    main()
