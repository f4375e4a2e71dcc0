"""The OpenAPI 3.1 description of what a stack answers."""

import json
from operator import itemgetter

from webapp import VERSION
from webapp.apidocs import words
from webapp.apidocs.builtin import BUILTIN, SERVICES, TAGS
from webapp.apidocs.operations import Operation, operations
from webapp.apidocs.responses import responses
from webapp.apidocs.schemas import HEADERS, SCHEMAS, Json
from webapp.apidocs.templates import Template, parameters, templates, written
from webapp.endpoints import own_routes
from webapp.settings import Policy, Route, Settings

_ABOUT = """\
Every answer names its request in `X-Request-Id`. What the gateway refuses is a problem (RFC 9457) \
with a `code` to program against.

HEAD follows GET. An unknown path is 404, another method than a path takes 405, a malformed \
request 400, at any path. A trailing slash makes no difference.

What API Gateway answers by itself (429 of its throttle, 413, 431, 500, 503) is its own JSON, \
`{"message": "..."}`, at any path, too."""

_TOKEN = "The token that a sign-in hands over, beginning with `tg_`; never in a query."  # noqa: S105

_COOKIE = """\
Browsers get it at a sign-in. POST, PUT, PATCH and DELETE by cookie must come from the API's own \
pages: `Origin`, or `Sec-Fetch-Site: same-origin`."""


def describe(settings: Settings, host: str) -> Json:
    """The same for the same settings and host; holds nothing that only operators may know.

    `host` is the public host that the reader asked; without one the addresses are relative.
    """
    shared = Shared()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"API of {host}" if host else "API",
            "version": VERSION,
            "description": _ABOUT,
        },
        "servers": [{"url": f"{settings.scheme}://{host}" if host else "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": _paths(settings, shared),
        "components": {
            "schemas": SCHEMAS,
            "responses": shared.responses,
            "headers": HEADERS,
            "securitySchemes": _schemes(settings),
        },
        "x-tollgate-policies": {
            policy.name: _policy(policy)
            for policy in settings.rate_limits
            if policy.mode == "enforce"
        },
    }


class Shared:
    """Responses that stand in the description once, however many operations give them."""

    def __init__(self) -> None:
        self.responses: Json = {}
        self._names: dict[str, str] = {}

    def reference(self, name: str, response: Json) -> Json:
        content = json.dumps(response)
        if content not in self._names:
            alike = sum(other.rstrip("0123456789") == name for other in self.responses)
            self._names[content] = f"{name}{alike + 1}" if alike else name
            self.responses[self._names[content]] = response
        return {"$ref": f"#/components/responses/{self._names[content]}"}


def _paths(settings: Settings, shared: Shared) -> Json:
    routes = [*settings.routes, *own_routes(settings)]
    layout = templates(route.path for route in routes)
    paths: Json = {}
    for operation in operations(routes, settings):
        # The path `/` is a template without segments.
        if (template := layout.get(operation.route.path)) is not None:
            item = paths.setdefault(written(template), {})
            item[operation.method.lower()] = _operation(operation, template, shared)
    return paths


def _operation(operation: Operation, template: Template, shared: Shared) -> Json:
    route = operation.route
    made: Json = _named(operation)
    if listed := parameters(template):
        made["parameters"] = listed
    if operation.takes_body:
        made["requestBody"] = _body(route.max_body_bytes)
    made["security"] = _security(route)
    if route.roles:
        made["x-tollgate-roles"] = [*route.roles]
    if operation.enforced:
        made["x-tollgate-policies"] = [policy.name for policy in operation.enforced]
    if route.session:
        made["x-tollgate-session"] = route.session
    made["description"] = words.description(made, restricted=bool(route.allow_from))
    made["responses"] = {
        key: shared.reference(name, content)
        for key, name, content in sorted(responses(operation), key=itemgetter(0))
    }
    return made


def _named(operation: Operation) -> Json:
    """No two alike: a route's id holds no dot, and a method no underscore."""
    route = operation.route
    if operation.proxied:
        identifier = f"{operation.method.lower()}_{route.id}"
        return {"operationId": identifier, "summary": route.id, "tags": [SERVICES]}
    told = BUILTIN[route.id]
    return {"operationId": f"tollgate.{route.id}", "summary": told.summary, "tags": [told.tag]}


def _body(size: int) -> Json:
    text = f"Passed on as it is, whatever its type; at most {words.size(size)}."
    # Generators of clients leave out what has no schema, or no type that they know.
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"description": text, "content": binary | {"*/*": {"schema": {}}}}


def _security(route: Route) -> list[Json]:
    """Signing in or out ends the session that the caller had."""
    schemes: list[Json] = [{"bearer": []}, {"cookie": []}]
    if route.auth == "session":
        return schemes
    return [{}, *schemes] if route.auth == "optional" or route.session else []


def _schemes(settings: Settings) -> Json:
    name = settings.session.cookie_name
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": _TOKEN},
        "cookie": {"type": "apiKey", "in": "cookie", "name": name, "description": _COOKIE},
    }


def _policy(policy: Policy) -> Json:
    told: Json = {
        "key": [*policy.kinds],
        "limit": policy.limit,
        "window": policy.window,
        "burst": policy.capacity,
    }
    if policy.roles:
        told["roles"] = [*policy.roles]
    return told | {"description": words.policy(told)}
