"""The verdict on a load: what was asked, how fast it was answered, whether that will do."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct

# What an availability of 99.9 % leaves.
MOST_UNEXPECTED = 0.001


class Entry(Struct):
    """Requests of one kind: `times` counts answers by milliseconds."""

    name: str
    requests: int
    unexpected: int
    times: dict[int, int]

    def percentile(self, share: float) -> int:
        """The milliseconds in which so many of a hundred were answered."""
        left = share / 100 * sum(self.times.values())
        for time in sorted(self.times):
            left -= self.times[time]
            if left <= 0:
                return time
        return 0


class Surprise(Struct):
    """An answer that was not expected."""

    name: str
    said: str
    times: int


class Report(Struct):
    seconds: float
    entries: list[Entry]
    surprises: list[Surprise]

    @property
    def total(self) -> Entry:
        times: Counter[int] = Counter()
        for entry in self.entries:
            times.update(entry.times)
        requests = sum(entry.requests for entry in self.entries)
        return Entry("all", requests, sum(entry.unexpected for entry in self.entries), dict(times))


class Check(NamedTuple):
    """`told`: what was measured, what is asked for, and why so much."""

    passed: bool
    told: str


def checks(report: Report, refusals: Iterable[str], p95: int, p99: int) -> Iterator[Check]:
    """`refusals` are names of entries that must have passed; `p95` and `p99` are milliseconds."""
    total = report.total
    rate = total.unexpected / total.requests if total.requests else 1
    yield Check(
        rate <= MOST_UNEXPECTED,
        f"{rate:.2%} unexpected answers, at most {MOST_UNEXPECTED:.2%}:"
        " what an availability of 99.9 % leaves",
    )
    for share, most, reason in (
        (95, p95, "a page that makes two calls in a row is there within a second"),
        (99, p99, "a cold start and a slow service fit in"),
    ):
        took = total.percentile(share)
        yield Check(took <= most, f"p{share} {took} ms, at most {most} ms: {reason}")
    seen = {entry.name: entry.requests - entry.unexpected for entry in report.entries}
    for name in refusals:
        times = seen.get(name, 0)
        told = f"{times} times" if times else "never; the run may be too short for it"
        yield Check(times > 0, f"refused as it must be: {name}, {told}")


def table(report: Report) -> Iterator[str]:
    entries = [*report.entries, report.total]
    width = max(len(entry.name) for entry in entries)
    yield f"{'':{width}}  requests  unexpected  p50 ms  p95 ms  p99 ms"
    for entry in entries:
        p50, p95, p99 = (entry.percentile(share) for share in (50, 95, 99))
        counts = f"{entry.requests:8}  {entry.unexpected:10}"
        yield f"{entry.name:{width}}  {counts}  {p50:6}  {p95:6}  {p99:6}"
    for surprise in report.surprises:
        yield f"unexpected: {surprise.name}: {surprise.said} ({surprise.times} times)"
