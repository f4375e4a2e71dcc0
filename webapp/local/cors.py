"""CORS as an HTTP API does it: preflights never reach the function, its own headers are dropped."""

from dataclasses import replace

from webapp.local.wire import Answer, Fields, Request
from webapp.settings.gateway import Cors


def preflight(cors: Cors, request: Request) -> Answer | None:
    """The answer to a preflight request; None when it is none, or CORS is not configured."""
    asked = request.values("origin") and request.values("access-control-request-method")
    if not cors.allow_origins or request.method != "OPTIONS" or not asked:
        return None
    return Answer(204, _allowance(cors, request, _preflight_fields(cors)))


def share(cors: Cors, request: Request, answer: Answer) -> Answer:
    """The function's answer with the CORS headers that the configuration gives it."""
    if not cors.allow_origins:
        return answer
    kept = tuple(
        field for field in answer.fields if not field[0].lower().startswith("access-control-")
    )
    exposed = ("Access-Control-Expose-Headers", ",".join(cors.exposed_headers))
    return replace(answer, fields=kept + _allowance(cors, request, (exposed,)))


def _preflight_fields(cors: Cors) -> Fields:
    return (
        ("Access-Control-Allow-Methods", ",".join(cors.allow_methods)),
        ("Access-Control-Allow-Headers", ",".join(cors.allow_headers)),
        ("Access-Control-Max-Age", str(cors.max_age or "")),
    )


def _allowance(cors: Cors, request: Request, fields: Fields) -> Fields:
    """`fields` that have a value, behind the allowed origin; nothing for an origin that is not."""
    allowed = _allowed_origin(cors, request)
    if not allowed:
        return ()
    credentials = "true" if cors.allow_credentials else ""
    fields = (
        ("Access-Control-Allow-Origin", allowed),
        ("Access-Control-Allow-Credentials", credentials),
        *fields,
    )
    return tuple(field for field in fields if field[1])


def _allowed_origin(cors: Cors, request: Request) -> str:
    if not (origins := request.values("origin")):
        return ""
    if "*" in cors.allow_origins:
        return "*"
    return origins[0] if origins[0] in cors.allow_origins else ""
