"""What a warm request costs the function in computing: `python -m bench.processing`.

CPU time, not wall time: what else the machine does at the moment hardly changes it.
"""

import datetime
import gc
import json
import os
import statistics
import time
from typing import Any

import msgspec
from msgspec.structs import replace

from bench.package import surroundings
from webapp.bridge import Handler, make_handler
from webapp.gateway import create_app
from webapp.settings import Runtime, SessionSettings, Settings

_WARM, _CALLS = 100, 500


class Clock:
    """Requests come seconds apart: no key is leased, and no limit is ever reached."""

    def __init__(self) -> None:
        self._now = time.time_ns()

    def __call__(self) -> int:
        return self._now

    def advance(self) -> None:
        self._now += 4 * 10**9


def main() -> None:
    with surroundings() as told:
        os.environ.update(told["environ"])
        settings = msgspec.json.decode(told["settings"], type=Settings)
        few = replace(settings, rate_limits=(), session=SessionSettings(cache_seconds=60))
        (calls, least), (more, most) = (_measured(of, told["event"]) for of in (few, settings))
    by_call = (most - least) / (more - calls)
    print(f"{datetime.date.today()}, ms of CPU time, medians of {_CALLS} requests\n")
    print(f"without a store {least - by_call * calls:.2f}, each call to a store {by_call:.2f}")


def _measured(settings: Settings, event: Any) -> tuple[float, float]:
    """How often a usual request asks DynamoDB, and its milliseconds."""
    clock, lines = Clock(), list[str]()
    app = create_app(settings, Runtime.from_environ(os.environ), clock=clock, sink=lines.append)
    handler = make_handler(app)
    gc.freeze()
    times = [_timed(handler, event, clock) for _ in range(_WARM + _CALLS)][_WARM:]
    asked = [json.loads(line) for line in lines[_WARM:]]
    calls = [facts["dynamodb_reads"] + facts["dynamodb_writes"] for facts in asked]
    return statistics.median(calls), statistics.median(times) * 1000


def _timed(handler: Handler, event: Any, clock: Clock) -> float:
    clock.advance()
    began = time.thread_time()
    answer = handler(event, None)
    took = time.thread_time() - began
    assert answer["statusCode"] == 200, answer
    return took


if __name__ == "__main__":
    main()
