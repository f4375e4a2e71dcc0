"""Operations: routes by method, with whatever the gateway may answer instead of serving them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from webapp.endpoints import is_limited
from webapp.errors import STATUS
from webapp.ratelimit import Limit
from webapp.settings import Policy, Route, Settings

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Operation(NamedTuple):
    """A route with one of its methods, and the policies that some caller meets there."""

    route: Route
    method: str
    settings: Settings
    policies: tuple[Policy, ...]

    @property
    def proxied(self) -> bool:
        return bool(self.route.upstream)

    @property
    def identifies(self) -> bool:
        """Whether the session of the caller is looked at."""
        return self.route.auth != "none"

    @property
    def takes_body(self) -> bool:
        return self.proxied and self.method in WITH_BODY and self.route.max_body_bytes > 0

    @property
    def enforced(self) -> list[Policy]:
        return [policy for policy in self.policies if policy.mode == "enforce"]


def operations(routes: Iterable[Route], settings: Settings) -> Iterator[Operation]:
    limits = [Limit(policy) for policy in settings.rate_limits]
    for route in routes:
        met = tuple(
            limit.policy
            for limit in limits
            if is_limited(route)
            and limit.governs(route.id)
            and (route.auth != "none" or not limit.policy.roles)
        )
        for method in route.methods:
            yield Operation(route, method, settings, met)


def refusals(operation: Operation) -> dict[int, list[str]]:
    """Every code that can really occur, by its status, in the order of statuses."""
    possible = {*_of_the_request(operation), *_of_the_caller(operation), *_of_services(operation)}
    found: dict[int, list[str]] = {}
    for code, status in STATUS.items():
        if code in possible:
            found.setdefault(status, []).append(code)
    return dict(sorted(found.items()))


def _of_the_request(operation: Operation) -> Iterator[str]:
    yield from ("bad_request", "ambiguous_path", "headers_too_large", "body_too_large")
    # An operator may have denied or blocked a caller anywhere: by which setting is not told.
    yield from ("forbidden", "internal_error")
    if "{" in operation.route.path:
        # A value that holds a slash is another path.
        yield from ("not_found", "method_not_allowed")


def _of_the_caller(operation: Operation) -> Iterator[str]:
    route = operation.route
    if operation.identifies or route.session:
        yield "conflicting_credentials"
    if route.auth == "session":
        yield "missing_token"
    if operation.identifies:
        yield from ("invalid_token", "session_expired", "session_revoked")
    if route.session or (operation.identifies and operation.method in UNSAFE):
        yield "cross_site_request"
    # Who forges tokens, or fails to sign in, waits.
    if operation.enforced or operation.identifies or route.session == "issue":
        yield "rate_limited"


def _of_services(operation: Operation) -> Iterator[str]:
    route = operation.route
    if operation.identifies or route.session:
        yield from ("session_store_unavailable", "signing_key_unavailable")
    if any(policy.on_store_error == "closed" for policy in operation.enforced):
        yield "rate_limit_store_unavailable"
    if operation.proxied or _behind_edge(operation):
        # Whether the service is shown a secret is not told.
        yield "signing_key_unavailable"
    if operation.proxied:
        yield from ("upstream_unreachable", "upstream_invalid_response")
        yield from ("upstream_response_too_large", "upstream_unavailable", "upstream_timeout")


def _behind_edge(operation: Operation) -> bool:
    return operation.settings.edge and operation.route.path.split("/")[1] != "health"
