"""The JSON that the gateway answers itself, as JSON Schema."""

from typing import Any

from webapp.errors import STATUS
from webapp.readiness import REASONS

Json = dict[str, Any]


def reference(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": [*properties], "properties": properties}


_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_LIST = {"type": "array", "items": _TEXT}

SCHEMAS: Json = {
    "Health": _object(status={"const": "healthy"}, environment=_TEXT, version=_TEXT),
    "Live": _object(status={"const": "alive"}),
    "Ready": _object(
        status={"const": "ready"}, checks=_object(**{name: {"const": "ok"} for name in REASONS})
    ),
    "NotReady": _object(status={"const": "not_ready"}, reason={"enum": [*REASONS.values()]}),
    "Session": _object(user_id=_TEXT, roles=_LIST, created_at=_TIME, expires_at=_TIME),
    "Sessions": _object(sessions={"type": "array", "items": reference("ListedSession")}),
    "ListedSession": _object(
        id=_TEXT | {"description": "For display only."},
        created_at=_TIME,
        last_used_at=_TIME,
        expires_at=_TIME,
        client_ip=_TEXT,
        user_agent=_TEXT,
        current={"type": "boolean"},
    ),
    "OpenApi": _object(openapi=_TEXT, info={"type": "object"}, paths={"type": "object"}),
    "Problem": {"description": "Problem details, RFC 9457."}
    | _object(
        type=_TEXT | {"format": "uri-reference"},
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        code={"enum": [*STATUS]},
        request_id=_TEXT | {"description": "The same as in X-Request-Id."},
    ),
    "Message": {"description": "What API Gateway answers by itself."} | _object(message=_TEXT),
}


def problem(status: int, codes: list[str]) -> Json:
    """A problem of this status; 429 says which policies or guards refused."""
    found = {"status": {"const": status}, "code": {"enum": codes}}
    if status != 429:
        return {"allOf": [reference("Problem")], "properties": found}
    violated = _LIST | {"minItems": 1, "description": "Names of policies or guards."}
    return {
        "allOf": [reference("Problem")],
        "required": ["violated-policies"],
        "properties": found | {"violated-policies": violated},
    }


def _header(description: str, **schema: Any) -> Json:
    return {"description": description, "schema": {"type": "string"} | schema}


_NEXT = {"type": "integer", "minimum": 1}

HEADERS: Json = {
    "X-Request-Id": _header("Names this request in logs."),
    "RateLimit-Policy": _header(
        "The policies that apply to the caller: `q` requests in `w` seconds.",
        examples=['"per-user";q=500;w=60'],
    ),
    "RateLimit": _header(
        "What is left of them: `r` requests; full again, or with `r=0` usable, in `t` seconds.",
        examples=['"per-user";r=42;t=18'],
    ),
    "Retry-After": _header("In how many seconds to try again.", **_NEXT),
    "Allow": _header("The methods that the path takes."),
    "WWW-Authenticate": _header("`Bearer`; API Gateway may rename this header."),
    "Set-Cookie": _header("The session cookie: set, renewed or cleared."),
    "Tollgate-Session-Token": _header(
        "The token, for callers that are no browsers.", pattern="^tg_"
    ),
    "Tollgate-Session-Expires": _header("When the session ends.", format="date-time"),
    "Cache-Control": _header("How long the answer may be kept."),
    "ETag": _header("Names these very bytes."),
}


def json_of(*schemas: str) -> Json:
    """The content of an answer that is one of these."""
    references = [reference(schema) for schema in schemas]
    return {
        "application/json": {
            "schema": references[0] if len(references) == 1 else {"anyOf": references}
        }
    }


def headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
