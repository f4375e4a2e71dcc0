"""Responses: what may come back from an operation, by status."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple

from webapp.apidocs.builtin import BUILTIN, PAGE
from webapp.apidocs.operations import Operation, refusals
from webapp.apidocs.schemas import Json, headers, json_of, problem
from webapp.apidocs.words import MEANINGS
from webapp.endpoints import DOCUMENTS, REFRESH

# Where API Gateway may answer by itself, before the gateway or in its place.
_PLATFORM = frozenset({413, 429, 431, 500, 503})

# Refused before it is known which policies apply.
_UNLIMITED = frozenset({404, 405, 431})

_OF_STATUS = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


class Response(NamedTuple):
    """`key` is a status, a range of them or `default`; `name` is for reading."""

    key: str
    name: str
    content: Json


def responses(operation: Operation) -> Iterator[Response]:
    yield from _relayed(operation) if operation.proxied else _own(operation)
    for status, codes in refusals(operation).items():
        name = "".join(word.capitalize() for word in HTTPStatus(status).phrase.split())
        yield Response(str(status), name, _refusal(operation, status, codes))


def _relayed(operation: Operation) -> Iterator[Response]:
    described = {"headers": _headers(operation, 200), "content": {"*/*": {}}}
    yield Response("2XX", "Answer", {"description": "The service's answer."} | described)
    bare = {"description": "The service's answer, without a body.", "headers": described["headers"]}
    yield Response("204", "BareAnswer", bare)
    other = "Any other answer of the service, such as its redirects and its own errors."
    yield Response("default", "OtherAnswer", {"description": other} | described)


def _own(operation: Operation) -> Iterator[Response]:
    told = BUILTIN[operation.route.id]
    status = 200 if told.schema else 204
    answer: Json = {
        "description": f"{told.summary}." if told.schema else "Done.",
        "headers": _headers(operation, status),
    }
    if told.schema:
        answer["content"] = {"text/html": {}} if told.schema == PAGE else json_of(told.schema)
    yield Response(str(status), told.schema or "Done", answer)
    if told.schema == "Ready":
        unready = {"description": "Not ready.", "headers": headers("X-Request-Id")}
        yield Response("503", "NotReady", unready | {"content": json_of("NotReady", "Message")})
    if "ETag" in answer["headers"]:
        kept = {"description": "As `If-None-Match` has it.", "headers": answer["headers"]}
        yield Response("304", "NotModified", kept)


def _refusal(operation: Operation, status: int, codes: list[str]) -> Json:
    content: Json = {"application/problem+json": {"schema": problem(status, codes)}}
    if operation.proxied:
        content["*/*"] = {}
    elif status in _PLATFORM:
        content |= json_of("Message")
    told = [f"`{code}`: {MEANINGS[code]}" for code in codes]
    if status in _PLATFORM:
        told.append("API Gateway may answer this by itself.")
    if operation.proxied:
        told.append("The service may answer this in its own words.")
    return {
        "description": "\n\n".join(told),
        "headers": _headers(operation, status),
        "content": content,
    }


def _headers(operation: Operation, status: int) -> Json:
    names = ["X-Request-Id", *_OF_STATUS.get(status, ())]
    if operation.enforced and status not in _UNLIMITED:
        names += ["RateLimit-Policy", "RateLimit"]
    if operation.identifies and status == 401:
        names.append("Set-Cookie")
    if status in (200, 204):
        names += _of_success(operation)
    return headers(*names)


def _of_success(operation: Operation) -> Iterator[str]:
    if operation.identifies or operation.route.session:
        yield "Set-Cookie"
    if operation.route.session == "issue" or operation.route.id == REFRESH:
        yield from ("Tollgate-Session-Token", "Tollgate-Session-Expires")
    if operation.route.id in DOCUMENTS:
        yield from ("Cache-Control",) if operation.identifies else ("Cache-Control", "ETag")
