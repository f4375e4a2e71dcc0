"""The log: one JSON line a request, written straight to stdout."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable

from webapp import metrics
from webapp.call import Call
from webapp.gcra import NANOSECONDS
from webapp.rows import Key
from webapp.sessions import display_id, key_of

logger = logging.getLogger("tollgate")

# A path is no place for a token, but people paste what they hold.
_PASTED = r"(?i)tg(_|\uff3f|%(25)*5f)[a-z0-9_.-]{40,}"


class _Warnings(logging.Handler):
    """What libraries warn of. Below that they print keys, rows and the signing secret."""

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger().handle(record)


# A level alone would not do: any logger of theirs may be given one of its own.
_between = logging.Logger("libraries")
_between.addHandler(_Warnings(logging.WARNING))
for _library in ("botocore", "pynamodb", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)
    logging.getLogger(_library).parent = _between

Sink = Callable[[str], None]


def to_stdout(line: str) -> None:
    """At once: a frozen container would keep it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class RequestLog:
    """Lines do not go through `logging`: Lambda would put them inside a message of its own."""

    def __init__(
        self,
        environment: str,
        function_version: str,
        settings_digest: str,
        clock: Callable[[], int],
        *,
        by_route: bool = False,
        sink: Sink = to_stdout,
    ) -> None:
        self._constant = {
            "environment": environment,
            "function_version": function_version,
            "settings": settings_digest,
        }
        self._environment = environment
        self._clock = clock
        self._by_route = by_route
        self._sink = sink

    def write(self, call: Call, status: int) -> None:
        """One line about a finished call. Nothing that a client could sign in with is in it."""
        facts = _facts(call, status, self._clock())
        measured = metrics.members(facts, self._environment, by_route=self._by_route)
        self._sink(json.dumps(facts | self._constant | measured, separators=(",", ":")))


def _facts(call: Call, status: int, now: int) -> dict[str, object]:
    request, session, route = call.request, _session(call), call.match and call.match.route
    shadow = [d.policy.name for d in call.decisions if not d.admitted and d.policy.mode == "shadow"]
    return {
        "timestamp": now // 1_000_000,
        "request_id": request.id,
        "trace_id": call.trace.trace_id,
        "route": route.id if route else None,
        "method": request.method,
        "path": re.sub(_PASTED, "tg_...", request.refused_path or request.path),
        "status": status,
        "latency_ms": round((now - call.started) * 1000 / NANOSECONDS, 3),
        "upstream": (route.upstream or None) if route else None,
        "upstream_status": call.upstream_status,
        # While the circuit is open nobody is asked.
        "upstream_ms": None if call.code == "upstream_unavailable" else call.upstream_ms,
        "circuit": call.circuit,
        "user_id": session.user_id if session else None,
        "session": display_id(session.session_hash) if session else None,
        "client_ip": str(request.address) if request.address else None,
        "decision": call.code or "passed",
        "policy": call.violated or None,
        "shadow": shadow or None,
        "dynamodb_reads": call.usage.reads,
        "dynamodb_writes": call.usage.writes,
        "store_errors": call.usage.errors,
        "cold_start": call.cold_start,
    }


def _session(call: Call) -> Key | None:
    """The session that the call started, used or ended, or would have."""
    if call.identity and not call.issued:
        return call.identity.key
    token = call.issued or call.token
    return key_of(token) if token else None


def log_failure(error: BaseException, request_id: str) -> None:
    """An error nobody expected: its types and places, not its texts, which may hold secrets."""
    chain: list[dict[str, object]] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 5:
        frames = traceback.extract_tb(cause.__traceback__)[-8:]
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        chain.append({"error": type(cause).__name__, "at": places})
        cause = cause.__cause__ or cause.__context__
    logger.error(json.dumps({"request_id": request_id, "failure": chain}))
