"""The bridge: API Gateway events in, payload 2.0 answers out, the WSGI app in between."""

import base64
import json
from collections.abc import Callable

from apig_wsgi import make_lambda_handler
from flask import Flask

from webapp.errors import Problem
from webapp.events import normalise, to_payload
from webapp.telemetry import log_failure

Handler = Callable[[object, object], dict[str, object]]

_JSON = ("application/json", "application/problem+json")
_MAX_TEXT_BYTES = 256 * 1024


def make_handler(app: Flask) -> Handler:
    """A Lambda handler for HTTP API events (payload 2.0) that always answers and never raises."""
    # Every body is base64 at first: apig-wsgi decodes what looks like text and fails on the rest.
    bridge = make_lambda_handler(app, non_binary_content_type_prefixes=())

    def handler(event: object, context: object) -> dict[str, object]:
        request = normalise(event)
        try:
            return _readable(bridge(to_payload(request), context))
        except Exception as error:
            log_failure(error, request.id)
            return _last_resort(request.id)

    return handler


def _readable(answer: dict[str, object]) -> dict[str, object]:
    """Short JSON in ASCII as plain text, for people and tests who look at the event's answer."""
    headers, body = answer["headers"], answer["body"]
    assert isinstance(headers, dict)
    assert isinstance(body, str)
    if str(headers.get("content-type", "")).startswith(_JSON) and len(body) < _MAX_TEXT_BYTES:
        decoded = base64.b64decode(body)
        if decoded.isascii():
            return answer | {"body": decoded.decode(), "isBase64Encoded": False}
    return answer


def _last_resort(request_id: str) -> dict[str, object]:
    problem = Problem("internal_error", "The gateway failed.")
    return {
        "statusCode": problem.status,
        "headers": {"content-type": "application/problem+json", "x-request-id": request_id}
        | {name.lower(): value for name, value in problem.headers.items()},
        "cookies": [],
        "body": json.dumps(problem.document(request_id)),
        "isBase64Encoded": False,
    }
