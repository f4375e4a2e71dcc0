"""From plain values to a checked configuration."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from webapp.settings import checks, decode
from webapp.settings.checks import confidential, lint, shape
from webapp.settings.files import ROOT, SEALED, stack_values
from webapp.settings.gateway import Settings
from webapp.settings.mistakes import Mistake, Mistakes, suggestion, top
from webapp.settings.stack import Stack

# What the stack decides and the gateway must know.
_FACTS = ("edge", "metricsByRoute", "tracing", "publicHost")

_GATEWAY: dict[str, FieldInfo] = {
    field.encode_name: field
    for field in msgspec.structs.fields(Settings)
    if field.encode_name not in _FACTS
}
_STACK: dict[str, FieldInfo] = {field.encode_name: field for field in msgspec.structs.fields(Stack)}

KEYS = (*confidential.KEYS, *_GATEWAY, *_STACK)


@dataclass(frozen=True)
class Configuration:
    """`unread` names keys that are set to what only the engine can decrypt."""

    settings: Settings
    stack: Stack
    warnings: tuple[Mistake, ...]
    unread: frozenset[str] = frozenset()


def load(stack: str, directory: Path = ROOT) -> Configuration:
    """The configuration that the files in `directory` give this stack; raises Mistakes."""
    return read(stack_values(stack, directory), stack)


def read(
    values: Mapping[str, object], stack: str, encrypted: Collection[str] | None = None
) -> Configuration:
    """Decode and check all keys of a stack; raises Mistakes with every mistake found.

    Scalars may come as text, lists and objects as JSON text, as the engine hands them over; empty
    values mean unset. Under the engine `encrypted` names the keys that it holds as secrets: then
    the signing key is required, and a secret in clear is a mistake instead of a warning.
    """
    found = [
        Mistake(top(key), f"unknown key{suggestion(key, KEYS)}")
        for key in values
        if key not in KEYS
    ]
    sealed = (key for key in (*confidential.KEYS, *_STACK) if _holds_sealed(values.get(key)))
    unread = frozenset(sealed)
    settings = Settings(**_fields(_GATEWAY, values, found))
    stack_fields = _fields(_STACK, {k: v for k, v in values.items() if k not in unread}, found)
    built = Stack(**{**stack_fields, "environment": stack_fields["environment"] or stack})
    clear = list(confidential.in_clear(values, encrypted or ()))
    found += _unreported(settings, built, unread, found)
    found += confidential.check(values, settings, required=encrypted is not None)
    if encrypted is not None:
        found += clear
    if found:
        raise Mistakes(found)
    findings = lint.check(settings, built, unread)
    warnings = (*(clear if encrypted is None else ()), *findings)
    return Configuration(_for_the_gateway(settings, built), built, warnings, unread)


def _unreported(
    settings: Settings, stack: Stack, unread: frozenset[str], found: list[Mistake]
) -> list[Mistake]:
    """The mistakes of the checks, without those that only follow from values not decoded."""
    broken = {mistake.place for mistake in found}
    checked = list(shape.check(stack, unread))
    if broken.isdisjoint({top("upstreams"), top("routes")}):
        checked = [*checks.mistakes(settings, stack), *checked]
    return [mistake for mistake in checked if not _beneath(mistake.place, broken)]


def _beneath(place: str, broken: set[str]) -> bool:
    return any(place == other or place.startswith((f"{other}.", f"{other}[")) for other in broken)


def _for_the_gateway(settings: Settings, stack: Stack) -> Settings:
    """With the facts of the stack, and upstreams whose address ends without a slash."""
    upstreams = {
        name: msgspec.structs.replace(upstream, url=upstream.url.removesuffix("/"))
        for name, upstream in settings.upstreams.items()
    }
    return msgspec.structs.replace(
        settings,
        upstreams=upstreams,
        edge=stack.edge,
        metrics_by_route=stack.metrics_by_route,
        tracing=stack.tracing,
        public_host=stack.custom_domain.name if stack.custom_domain else "",
    )


def _fields(
    fields: dict[str, FieldInfo], values: Mapping[str, object], found: list[Mistake]
) -> dict[str, Any]:
    read = {}
    for key, field in fields.items():
        raw = decode.from_text(field.type, values.get(key, ""))
        spare = decode.spare(field)
        read[field.name] = spare
        if not _unset(raw, field):
            read[field.name] = decode.value(field.type, raw, top(key), found, spare)
    return read


def _unset(raw: object, field: FieldInfo) -> bool:
    if raw is None or raw in ("", [], {}):
        return True
    return raw == 0 and raw is not False and field.default is None


def _holds_sealed(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_sealed, value.values()))
    return value is SEALED or (isinstance(value, list) and any(map(_holds_sealed, value)))
