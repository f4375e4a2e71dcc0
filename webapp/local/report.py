"""What there is to say about a stack's configuration, to people or to scripts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import click

from webapp.local.checklist import Item, checklist, unmet
from webapp.settings import read
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.settings.read import Configuration

_COLOURS = {"met": "green", "not met": "red", "advised": "yellow", "outside": "blue"}


@dataclass(frozen=True)
class Report:
    """`mistakes` and nothing else, or what a configuration without any is like."""

    stack: str
    strict: bool
    mistakes: Sequence[Mistake] = ()
    warnings: Sequence[Mistake] = ()
    counts: dict[str, int] = field(default_factory=dict)
    checklist: Sequence[Item] | None = None

    @property
    def verdict(self) -> str:
        if self.mistakes:
            return "mistakes"
        if unmet(self.checklist or ()):
            return "not ready for production"
        return "refused by --strict" if self.strict and self.warnings else "OK"

    @property
    def passes(self) -> bool:
        return self.verdict == "OK"

    def lines(self) -> Iterator[str]:
        if self.mistakes:
            yield from map(str, self.mistakes)
            return
        for warning in self.warnings:
            yield f"{click.style('warning', fg='yellow')}: {warning}"
        for item in self.checklist or ():
            label = click.style(f"{item.verdict:8}", fg=_COLOURS[item.verdict])
            remedy = item.remedy(self.stack)
            yield f"{label} {item.topic}: {item.finding}{f' ({remedy})' if remedy else ''}"
        counted = ", ".join(f"{what}: {count}" for what, count in self.counts.items())
        yield f"{self.stack}: {self.verdict} ({counted})"

    def document(self) -> dict[str, object]:
        document: dict[str, object] = {
            "stack": self.stack,
            "passes": self.passes,
            "verdict": self.verdict,
            "mistakes": [mistake._asdict() for mistake in self.mistakes],
            "warnings": [warning._asdict() for warning in self.warnings],
            "counts": self.counts,
        }
        if self.checklist is not None:
            document["checklist"] = [_entry(item, self.stack) for item in self.checklist]
        return document


def report(stack: str, *, strict: bool, production: bool) -> Report:
    try:
        configuration = read.load(stack)
    except Mistakes as mistakes:
        return Report(stack, strict, mistakes=mistakes.mistakes)
    items = checklist(configuration) if production else None
    return Report(
        stack,
        strict,
        warnings=configuration.warnings,
        counts=_counts(configuration, items),
        checklist=items,
    )


def _counts(configuration: Configuration, items: Sequence[Item] | None) -> dict[str, int]:
    settings = configuration.settings
    counts = {
        "routes": len(settings.routes),
        "upstreams": len(settings.upstreams),
        "policies": len(settings.rate_limits),
        "warnings": len(configuration.warnings),
    }
    return counts if items is None else {**counts, "not met": len(unmet(items))}


def _entry(item: Item, stack: str) -> dict[str, str]:
    return {
        "topic": item.topic,
        "verdict": item.verdict,
        "finding": item.finding,
        "remedy": item.remedy(stack),
    }
