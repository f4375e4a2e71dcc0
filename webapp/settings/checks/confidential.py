"""Secrets: present where they are needed, strong enough, encrypted; never quoted."""

import re
from collections.abc import Collection, Iterator, Mapping

from webapp.settings.decode import from_text
from webapp.settings.files import Sealed
from webapp.settings.gateway import Settings
from webapp.settings.mistakes import Mistake, member, shown, suggestion, top
from webapp.settings.secrets import MINIMUM, weakness

KEYS = ("signingKey", "previousSigningKey", "upstreamSecrets")

_FRESH = "openssl rand -base64 48 | pulumi config set --secret"


def check(
    values: Mapping[str, object], settings: Settings, required: bool = False
) -> Iterator[Mistake]:
    """What is wrong with those that can be read; the signing key may be absent offline."""
    if required and _absent(values.get("signingKey")):
        yield Mistake(top("signingKey"), f"is missing: {_FRESH} signingKey")
    for key in ("signingKey", "previousSigningKey"):
        yield from _signing_key(key, values.get(key))
    current, previous = values.get("signingKey"), values.get("previousSigningKey")
    if isinstance(previous, str) and previous and previous == current:
        yield Mistake(top("previousSigningKey"), "is the same as signingKey; unset it")
    yield from _upstream_secrets(values.get("upstreamSecrets"), settings, top("upstreamSecrets"))


def in_clear(values: Mapping[str, object], encrypted: Collection[str]) -> Iterator[Mistake]:
    """Secrets that anyone who reads the stack file knows."""
    for key in KEYS:
        value = values.get(key)
        entries = value.values() if isinstance(value, Mapping) else [value]
        plain = any(not isinstance(entry, Sealed) for entry in entries)
        if key not in encrypted and plain and not _absent(value):
            remedy = f"pulumi config set --secret {key}"
            yield Mistake(top(key), f"is not encrypted; replace it: {remedy}")


def _absent(value: object) -> bool:
    return value is None or value in ("", "{}", {}, [])


def _signing_key(key: str, value: object) -> Iterator[Mistake]:
    if _absent(value) or isinstance(value, Sealed):
        return
    if reason := weakness(value) if isinstance(value, str) else _no_text(value):
        yield Mistake(top(key), f"{reason}; make a new one: {_FRESH} {key}")


def _upstream_secrets(value: object, settings: Settings, place: str) -> Iterator[Mistake]:
    if isinstance(value, Sealed):
        return
    secrets = _object(value)
    if secrets is None:
        message = "expected an object from upstream to secret; set each one"
        yield Mistake(place, f"{message}: {_FRESH} --path upstreamSecrets.NAME")
        return
    headed = [name for name, upstream in settings.upstreams.items() if upstream.secret_header]
    for name in headed:
        if _absent(secrets.get(name)):
            message = f"is missing: {_FRESH} --path upstreamSecrets.{name}"
            yield Mistake(member(place, name), message)
    for key, secret in secrets.items():
        where = member(place, key)
        if key not in settings.upstreams:
            hint = suggestion(key, settings.upstreams)
            yield Mistake(where, f"no upstream named {shown(key)}{hint}")
            continue
        if key not in headed:
            yield Mistake(where, f"the upstream {key} names no secretHeader that would carry it")
        if unfit := _unfit(secret):
            remedy = f"make a new one: {_FRESH} --path upstreamSecrets.{key}"
            yield Mistake(where, f"{unfit}; {remedy}")


def _object(value: object) -> Mapping[object, object] | None:
    if _absent(value):
        return {}
    read = from_text(dict[str, str], value)
    return read if isinstance(read, Mapping) else None


def _unfit(secret: object) -> str | None:
    if isinstance(secret, Sealed) or _absent(secret):
        return None
    if not isinstance(secret, str):
        return _no_text(secret)
    if len(secret) < MINIMUM:
        return f"is shorter than {MINIMUM} characters"
    if not re.fullmatch(r"[!-~](?:[ -~]*[!-~])?", secret):
        return "must be printable ASCII without spaces around it, as a header carries it"
    return None


def _no_text(value: object) -> str:
    """Its kind alone: what was meant as a secret is not quoted."""
    kind = shown(value) if isinstance(value, Mapping | list) else "a number, true or false"
    return f"expected text, got {kind}"
