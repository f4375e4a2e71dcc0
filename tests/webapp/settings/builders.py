"""A small valid configuration, and what is wrong with a changed one."""

from collections.abc import Collection
from typing import Any

from webapp.settings.mistakes import Mistakes
from webapp.settings.read import Configuration, read


def upstream(**changes: Any) -> dict[str, Any]:
    return {"url": "https://users.example.com", **changes}


def route(**changes: Any) -> dict[str, Any]:
    return {"id": "users", "path": "/users", "upstream": "users", **changes}


def policy(**changes: Any) -> dict[str, Any]:
    return {"name": "per-ip", "key": "ip", "limit": 100, "window": 60, **changes}


def values(**changes: Any) -> dict[str, Any]:
    return {
        "upstreams": {"users": upstream()},
        "routes": [route()],
        "rateLimits": [policy()],
        **changes,
    }


def configuration(**changes: Any) -> Configuration:
    return read(values(**changes), "dev")


def mistakes(encrypted: Collection[str] | None = None, **changes: Any) -> list[str]:
    try:
        read(values(**changes), "dev", encrypted)
    except Mistakes as error:
        return str(error).splitlines()
    return []


def warnings(**changes: Any) -> list[str]:
    return [str(warning) for warning in configuration(**changes).warnings]
