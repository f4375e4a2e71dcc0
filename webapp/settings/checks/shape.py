"""The stack: what AWS refuses, found before anything is created."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webapp.settings.checks.names import is_domain
from webapp.settings.checks.networks import repeated
from webapp.settings.mistakes import Mistake, member, shown, top
from webapp.settings.stack import CustomDomain, Stack, Vpc

_ENVIRONMENT_BYTES = 3072  # of Lambda's 4 KB; the rest is the gateway's own


class Form(NamedTuple):
    read: Callable[[Stack], str]
    pattern: str
    wanted: str


def _arn(service: str, resource: str) -> str:
    return rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:[0-9]{{12}}:{resource}"


_FORMS = {
    "environment": Form(
        lambda stack: stack.environment,
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}",
        "a name of at most 32 letters, digits, - and _",
    ),
    "alarmEmail": Form(
        lambda stack: stack.alarm_email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"
    ),
    "alarmTopicArn": Form(
        lambda stack: stack.alarm_topic_arn,
        _arn("sns", r"[A-Za-z0-9_-]+"),
        "a topic such as arn:aws:sns:eu-west-1:123456789012:alarms",
    ),
    "budgetEmail": Form(
        lambda stack: stack.budget_email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"
    ),
    "budgetTag": Form(
        lambda stack: stack.budget_tag, r"[^=]{1,128}=[^=]{1,256}", "a tag such as Project=tollgate"
    ),
    "permissionsBoundaryArn": Form(
        lambda stack: stack.permissions_boundary_arn,
        r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/[\w+=,.@/-]+",
        "a policy such as arn:aws:iam::123456789012:policy/boundary",
    ),
    "kmsKeyArn": Form(
        lambda stack: stack.kms_key_arn,
        _arn("kms", r"key/[A-Za-z0-9-]+"),
        "a key (no alias) such as arn:aws:kms:eu-west-1:123456789012:key/...",
    ),
}


class Clash(NamedTuple):
    """Keys that do not go together; the mistake stands at the first."""

    keys: tuple[str, ...]
    found: Callable[[Stack], bool]
    message: str


_CLASHES = (
    Clash(
        ("snapStart", "provisionedConcurrency"),
        lambda s: s.snap_start and s.provisioned_concurrency is not None,
        "excludes provisionedConcurrency; AWS takes one or the other",
    ),
    Clash(
        ("snapStart", "runtime"),
        lambda s: s.snap_start and s.runtime == "python3.11",
        "needs python3.12 or later (tollgate:runtime)",
    ),
    Clash(
        ("provisionedConcurrency", "reservedConcurrency"),
        lambda s: (
            s.provisioned_concurrency is not None
            and s.reserved_concurrency is not None
            and s.provisioned_concurrency > s.reserved_concurrency
        ),
        "must be at most reservedConcurrency",
    ),
    Clash(
        ("alarmEmail", "alarmTopicArn"),
        lambda s: bool(s.alarm_email and s.alarm_topic_arn),
        "subscribes to the stack's own topic, which alarmTopicArn replaces; unset one of them",
    ),
    Clash(
        ("monthlyBudgetUsd", "budgetEmail"),
        lambda s: s.monthly_budget_usd is not None and not s.budget_email,
        "needs budgetEmail: whom to tell",
    ),
    Clash(
        ("disableDefaultEndpoint", "customDomain"),
        lambda s: s.disable_default_endpoint and s.custom_domain is None,
        "needs customDomain, or nothing can be reached",
    ),
    Clash(
        ("disableDefaultEndpoint", "edge"),
        lambda s: s.disable_default_endpoint and s.edge,
        "excludes edge: the distribution reaches the API by its default endpoint",
    ),
    Clash(
        ("customDomain", "edge"),
        lambda s: bool(
            s.edge
            and s.custom_domain
            and s.custom_domain.certificate_arn
            and ":us-east-1:" not in s.custom_domain.certificate_arn
        ),
        "with edge the domain is the distribution's: certificateArn must be in us-east-1",
    ),
)


def check(stack: Stack, unread: frozenset[str] = frozenset()) -> Iterator[Mistake]:
    """`unread` names keys whose values are not known; nothing is said about their combinations."""
    for key, form in _FORMS.items():
        text = form.read(stack)
        if text and not re.fullmatch(form.pattern, text):
            yield Mistake(top(key), f"{shown(text)} is not {form.wanted}")
    for clash in _CLASHES:
        if unread.isdisjoint(clash.keys) and clash.found(stack):
            yield Mistake(top(clash.keys[0]), clash.message)
    if stack.custom_domain:
        yield from _domain(stack.custom_domain, top("customDomain"))
    if stack.vpc:
        yield from _vpc(stack.vpc, top("vpc"))
    yield from _variables(stack.environment_variables, top("environmentVariables"))


def _domain(domain: CustomDomain, place: str) -> Iterator[Mistake]:
    if not is_domain(domain.name):
        message = f"{shown(domain.name)} is no domain such as api.example.com (in lower case)"
        yield Mistake(member(place, "name"), message)
    if not domain.zone_id and not domain.certificate_arn:
        message = "is required without zoneId: nothing can prove the domain to a new certificate"
        yield Mistake(member(place, "certificateArn"), message)
    if domain.zone_id and not re.fullmatch(r"Z[A-Z0-9]{1,31}", domain.zone_id):
        message = f"{shown(domain.zone_id)} is no hosted zone such as Z0123456789ABCDEFGHIJ"
        yield Mistake(member(place, "zoneId"), message)
    arn = domain.certificate_arn
    if arn and not re.fullmatch(_arn("acm", r"certificate/[A-Za-z0-9-]+"), arn):
        message = (
            f"{shown(arn)} is no certificate such as"
            " arn:aws:acm:eu-west-1:123456789012:certificate/..."
        )
        yield Mistake(member(place, "certificateArn"), message)


def _vpc(vpc: Vpc, place: str) -> Iterator[Mistake]:
    lists = {
        "subnetIds": ("subnet", vpc.subnet_ids),
        "securityGroupIds": ("sg", vpc.security_group_ids),
    }
    for key, (prefix, identifiers) in lists.items():
        where = member(place, key)
        if not identifiers:
            yield Mistake(where, f"is empty; name at least one {prefix}-...")
        yield from repeated(identifiers, where)
        for index, identifier in enumerate(identifiers):
            if identifier and not re.fullmatch(rf"{prefix}-[0-9a-f]{{8,17}}", identifier):
                yield Mistake(f"{where}[{index}]", f"{shown(identifier)} is no {prefix}-...")


def _variables(variables: dict[str, str], place: str) -> Iterator[Mistake]:
    for name in variables:
        where = member(place, name)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", name):
            message = "is no name: two or more letters, digits and _, beginning with a letter"
            yield Mistake(where, message)
        elif name.startswith(("TOLLGATE_", "AWS_", "LAMBDA_")):
            yield Mistake(where, "is set by the gateway or by Lambda; choose another name")
    if (
        sum(len(f"{name}{value}".encode()) for name, value in variables.items())
        > _ENVIRONMENT_BYTES
    ):
        yield Mistake(place, f"holds more than {_ENVIRONMENT_BYTES} bytes together")
