"""The statement: a bill, as people and as scripts read it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from webapp.local import assumptions, cost, prices, usage
from webapp.local.assumptions import MILLION
from webapp.local.cost import Line
from webapp.local.usage import Load
from webapp.settings.read import Configuration

_WIDTH = 80


@dataclass(frozen=True)
class Statement:
    """`added` is what each policy and session setting adds, in dollars a million requests."""

    stack: str
    load: Load
    lines: Sequence[Line]
    added: Mapping[str, float]
    assumed: Sequence[str]

    def services(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.service, []).append(line)
        return found

    def text(self) -> Iterator[str]:
        yield (
            f"{self.stack}: US dollars for {self.load.requests:,} requests a month,"
            f" upstreams taking {self.load.upstream_ms:g} ms"
        )
        yield from ("", _row("", "", "quantity", "price", "a month"))
        for service, lines in self.services().items():
            for name, line in zip((service, *[""] * len(lines)), lines, strict=False):
                yield _row(name, line.what, _quantity(line), _price(line), _money(line.dollars))
        yield from ("", _columns("by service", "a month", "a million", "less free tier", "to pay"))
        for service, lines in self.services().items():
            yield _columns(service, *map(_money, self._sums(lines).values()))
        yield _columns("total", *map(_money, self._sums(self.lines).values()))
        yield from ("", f"{'what each setting adds, its time included':68}{'a million':>12}")
        for setting, dollars in self.added.items():
            yield f"{setting:68}{_money(dollars):>12}"
        yield from ("", "assumed:")
        for sentence in self.assumed:
            yield from textwrap.wrap(sentence, _WIDTH, initial_indent="- ", subsequent_indent="  ")

    def _sums(self, lines: Sequence[Line]) -> dict[str, float]:
        total, free = cost.total(lines), cost.free(lines)
        return {
            "a_month": total,
            "a_million": total / self.load.requests * MILLION,
            "free_tier": free,
            "a_month_less_free_tier": total - free,
        }

    def document(self) -> dict[str, object]:
        return {
            "stack": self.stack,
            "requests": self.load.requests,
            "upstream_ms": self.load.upstream_ms,
            "region": prices.REGION,
            "prices_checked": prices.CHECKED,
            "lines": [_entry(line) for line in self.lines],
            "services": {name: self._sums(of) for name, of in self.services().items()},
            "total": self._sums(self.lines),
            "added_a_million": dict(self.added),
            "assumed": list(self.assumed),
        }


def statement(stack: str, configuration: Configuration, load: Load) -> Statement:
    settings, of = configuration.settings, configuration.stack
    return Statement(
        stack,
        load,
        cost.bill(settings, of, load),
        {need.part: cost.added(need, of) for need in usage.needs(settings)},
        list(assumptions.told(of)),
    )


def _row(service: str, what: str, quantity: str, price: str, dollars: str) -> str:
    return f"{service:16}{what:28}{quantity:>16}{price:>11}{dollars:>9}".rstrip()


def _columns(name: str, *columns: str) -> str:
    return f"{name:16}" + "".join(f"{column:>16}" for column in columns)


def _quantity(line: Line) -> str:
    digits = 0 if line.quantity >= 100 or line.quantity == int(line.quantity) else 2
    return f"{line.quantity:,.{digits}f} {line.price.unit}".rstrip()


def _price(line: Line) -> str:
    """As many decimals as the list has, two at least."""
    whole, _, decimals = f"{line.price.dollars:.4f}".rstrip("0").partition(".")
    per = "M" if line.price.per == MILLION else line.price.unit
    return f"{whole}.{decimals:0<2}" + (f"/{per}" if per else "")


def _money(dollars: float) -> str:
    return f"{dollars:,.2f}"


def _entry(line: Line) -> dict[str, object]:
    return {
        "service": line.service,
        "what": line.what,
        "quantity": line.quantity,
        "unit": line.price.unit,
        "price": line.price.dollars,
        "per": line.price.per,
        "dollars": line.dollars,
    }
