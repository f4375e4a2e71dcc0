"""The production checklist: what must be so before others depend on a stack."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from webapp.settings.checks import confidential
from webapp.settings.checks.upstreams import is_https
from webapp.settings.mistakes import top
from webapp.settings.read import Configuration

Verdict = Literal["met", "not met", "advised", "outside"]

LEAST_RETENTION = 30

_SAMPLE = re.compile(r"[@./]example\.(com|net|org)(?![\w.-])", re.IGNORECASE)


class Item(NamedTuple):
    """`advised` is what a stack may do without; `outside` is what no configuration can tell.

    `assignments` (`key value`) would mend it; `advice` is a page, or a word.
    """

    topic: str
    verdict: Verdict
    finding: str
    assignments: tuple[str, ...] = ()
    advice: str = ""

    def remedy(self, stack: str) -> str:
        """A line to paste, or a page to read; nothing where there is nothing to do."""
        lines = [f"pulumi config set {pair} --stack {stack}" for pair in self.assignments]
        return "; ".join(filter(None, (" && ".join(lines), self.advice)))


def checklist(configuration: Configuration) -> list[Item]:
    """Every item, in the order in which somebody would go through them."""
    parts = (_data, _watching, _callers, _surroundings)
    return [item for part in parts for item in part(configuration)]


def unmet(items: Iterable[Item]) -> list[Item]:
    return [item for item in items if item.verdict == "not met"]


def _data(configuration: Configuration) -> Iterator[Item]:
    its = configuration.stack
    yield _outside(
        "remote state",
        "where the state lies, and which key encrypts it",
        "docs/accounts.md#where-state-is-kept",
    )
    yield _secrets(configuration)
    yield _needed(
        "recovery",
        its.point_in_time_recovery and "sessions of the last 35 days can be restored",
        "lost sessions cannot be restored",
        "pointInTimeRecovery true",
    )
    yield _outside(
        "recovery rehearsal",
        "whether a restore has been tried",
        "docs/operating.md#restoring-the-sessions-table",
    )
    yield _needed(
        "protection",
        its.protect and "the tables outlast a destroy",
        "a destroy deletes the tables",
        "protect true",
    )


def _secrets(configuration: Configuration) -> Item:
    places = {top(key) for key in confidential.KEYS}
    clear = [str(warning) for warning in configuration.warnings if warning.place in places]
    key = "encrypted" if "signingKey" in configuration.unread else "still to be set"
    return _needed(
        "secrets", not clear and f"none stands in clear; signingKey is {key}", "; ".join(clear)
    )


def _watching(configuration: Configuration) -> Iterator[Item]:
    its = configuration.stack
    yield _needed("alarms", its.alarms and "on", "nobody learns of a failure", "alarms true")
    yield _needed(
        "receiver of alarms",
        _shown(configuration, "alarmEmail", its.alarm_email)
        or _shown(configuration, "alarmTopicArn", its.alarm_topic_arn),
        "neither alarmEmail nor alarmTopicArn",
        "alarmEmail ops@example.com",
    )
    yield _outside(
        "runbooks",
        "whether those on call know what to do at each alarm",
        "docs/operating.md#alarms",
    )
    days = its.log_retention_days
    yield _needed(
        "log retention",
        days >= LEAST_RETENTION and f"{days} days",
        f"{days} days, less than {LEAST_RETENTION}",
        "logRetentionDays 90",
    )
    yield _needed(
        "budget",
        _shown(configuration, "monthlyBudgetUsd", its.monthly_budget_usd, "{:g} $ a month"),
        "nobody learns of a bill that grows",
        "monthlyBudgetUsd 100",
        "budgetEmail ops@example.com",
    )


def _callers(configuration: Configuration) -> Iterator[Item]:
    settings, its = configuration.settings, configuration.stack
    origins = settings.cors.allow_origins
    yield _needed(
        "CORS",
        "*" not in origins and (", ".join(origins) or "no page of another origin may call"),
        "every page on the web may read answers",
        "--path 'cors.allowOrigins[0]' https://app.example.com",
    )
    yield _needed(
        "API documentation",
        settings.api_docs != "public" and f"apiDocs is {settings.api_docs}",
        "strangers may read /openapi.json and /docs",
        "apiDocs off",
    )
    reserved = its.reserved_concurrency
    yield _needed(
        "reserved concurrency",
        _shown(configuration, "reservedConcurrency", reserved, "{} containers at most"),
        "a flood takes the containers of the whole account",
        "reservedConcurrency 100",
        advice="docs/stack.md#concurrency-the-quota-of-a-new-account",
    )
    domain = its.custom_domain
    yield _advised(
        "custom domain",
        _shown(configuration, "customDomain", domain.name if domain else ""),
        "clients depend on an address that changes with the API",
        "docs/domain.md",
    )
    yield _advised(
        "WAF",
        its.edge and "CloudFront and WAF stand in front",
        "nothing filters requests before the API",
        "docs/domain.md#the-edge",
    )


def _surroundings(configuration: Configuration) -> Iterator[Item]:
    yield _proof(configuration)
    yield _samples(configuration)
    found = len(configuration.warnings)
    yield _advised("warnings", not found and "none", f"{found} to settle", "see above")
    yield _outside(
        "IAM review",
        "who may do what; permissionsBoundaryArn bounds the stack's roles",
        "docs/security.md#who-can-reach-what",
    )
    yield _outside(
        "CloudTrail",
        "whether changes in the account are recorded",
        "docs/accounts.md#the-account-itself",
    )
    yield _outside("CI/CD", "whether a pipeline deploys what was reviewed", "docs/delivery.md")


def _proof(configuration: Configuration) -> Item:
    """Whoever reaches a service past the gateway is whatever user he says he is."""
    bare = [
        name
        for name, upstream in configuration.settings.upstreams.items()
        if not (upstream.secret_header and is_https(upstream))
    ]
    inside = configuration.stack.vpc or "vpc" in configuration.unread
    return _advised(
        "upstreams",
        "reached inside a network" if inside else not bare and "told by a secretHeader",
        f"no secretHeader tells the gateway from others to {', '.join(bare)}",
        "docs/security.md#upstreams-check-the-secret",
    )


def _samples(configuration: Configuration) -> Item:
    """Nobody reads the mail of example.com, which is nobody's by RFC 2606."""
    settings, its = configuration.settings, configuration.stack
    urls = (upstream.url for upstream in settings.upstreams.values())
    texts = (*urls, *settings.cors.allow_origins, its.alarm_email, its.budget_email)
    left = dict.fromkeys(text for text in texts if _SAMPLE.search(text))
    return _advised("values of the sample", not left and "none", ", ".join(left), "replace them")


def _shown(configuration: Configuration, key: str, value: object, form: str = "{}") -> str:
    """What there is to say of a key that is set; nothing of one that is not."""
    if key in configuration.unread:
        return "encrypted"
    return form.format(value) if value else ""


def _needed(
    topic: str, good: str | Literal[False], bad: str, *assignments: str, advice: str = ""
) -> Item:
    """`good` says in which way it is met, if it is."""
    return Item(topic, "met", good) if good else Item(topic, "not met", bad, assignments, advice)


def _advised(topic: str, good: str | Literal[False], bad: str, advice: str) -> Item:
    return Item(topic, "met", good) if good else Item(topic, "advised", bad, advice=advice)


def _outside(topic: str, question: str, page: str) -> Item:
    return Item(topic, "outside", question, advice=page)
