"""What the gateway is told: by its environment, and by the file that is packed beside its code.

Only this package reads the environment. On Lambda nothing but `gateway`, `templates` and `secrets`
is loaded besides this module; reading and checking stack files needs YAML and a clone.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from webapp.settings.gateway import (
    Auth,
    Cors,
    Kind,
    Method,
    Policy,
    Route,
    SessionSettings,
    Settings,
    SignInGuard,
    Upstream,
)

__all__ = [
    "Auth",
    "Cors",
    "Kind",
    "Method",
    "Policy",
    "Route",
    "Runtime",
    "SessionSettings",
    "Settings",
    "SignInGuard",
    "Upstream",
    "current",
    "digest",
    "encode",
    "xray_trace",
]

PACKED = Path(__file__).parent.parent / "settings.json"


class Runtime(msgspec.Struct, frozen=True):
    """What the function's environment says."""

    environment: str = "dev"
    log_level: str = "INFO"
    sessions_table: str = ""
    rate_limits_table: str = ""
    signing_secret_arn: str = ""
    function_version: str = ""
    region: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Runtime":
        return cls(
            environment=environ.get("TOLLGATE_ENVIRONMENT") or "dev",
            log_level=environ.get("TOLLGATE_LOG_LEVEL") or "INFO",
            sessions_table=environ.get("TOLLGATE_SESSIONS_TABLE", ""),
            rate_limits_table=environ.get("TOLLGATE_RATE_LIMITS_TABLE", ""),
            signing_secret_arn=environ.get("TOLLGATE_SIGNING_SECRET_ARN", ""),
            function_version=environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", ""),
        )


def xray_trace() -> str:
    """What Lambda says of the trace that the running invocation belongs to.

    Not the event's `x-amzn-trace-id`: that one clients can write, and the function's segment need
    not be in the trace that it names.
    """
    return os.environ.get("_X_AMZN_TRACE_ID", "")


def current(environment: str) -> Settings:
    """The settings packed beside the code; in a clone those of the stack named `environment`."""
    if PACKED.exists():
        return msgspec.json.decode(PACKED.read_bytes(), type=Settings)
    from webapp.settings.read import load

    return load(environment).settings


def encode(settings: Settings) -> bytes:
    """The file that is packed: the same bytes for the same settings."""
    return msgspec.json.encode(settings, order="deterministic")


def digest(settings: Settings) -> str:
    """A short name for exactly these settings, as log lines carry it."""
    return hashlib.sha256(encode(settings)).hexdigest()[:12]
