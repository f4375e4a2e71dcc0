"""What callers are told in sentences, by the description as by the page."""

from collections.abc import Sequence

from webapp.apidocs.schemas import Json

_SPANS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}
_COUNTED = {
    "ip": "address",
    "user": "user",
    "session": "session",
    "route": "path",
    "global": "all callers together",
}

# For the caller; the statuses are in `errors.STATUS`.
MEANINGS = {
    "bad_request": "The request is malformed.",
    "ambiguous_path": "The path has several readings; send it in its plainest form.",
    "conflicting_credentials": "The request carries two different tokens.",
    "missing_token": "Sign in, or send the token.",
    "invalid_token": "The token is not one of this gateway.",
    "session_expired": "The session has ended; sign in again.",
    "session_revoked": "The session was ended; sign in again.",
    "forbidden": "This caller or this address may not do that.",
    "cross_site_request": "A browser sent it from another site's page.",
    "not_found": "Nothing is at this path.",
    "method_not_allowed": "The path does not take this method; `Allow` has those that it takes.",
    "body_too_large": "The body is larger than this path takes.",
    "headers_too_large": "Path, query, headers and cookies are larger than 16 KiB together.",
    "rate_limited": "Too many requests; wait as long as `Retry-After` says.",
    "internal_error": "The gateway failed.",
    "upstream_unreachable": "The service behind the path cannot be reached.",
    "upstream_invalid_response": "The service behind the path answered badly.",
    "upstream_response_too_large": "The service's answer is larger than 4 MiB.",
    "session_store_unavailable": "Sessions cannot be checked now; try again.",
    "rate_limit_store_unavailable": "Rate limits cannot be checked now; try again.",
    "signing_key_unavailable": "Tokens cannot be checked now; try again.",
    "upstream_unavailable": "The service behind the path kept failing; try again later.",
    "upstream_timeout": "The service behind the path did not answer in time.",
}


_SESSION = {
    "issue": "Signs in: with success the answer brings a session.",
    "end": "Signs out: with success the session is over.",
}


def description(operation: Json, *, restricted: bool) -> str:
    """Who may call an operation, and what that does to sessions."""
    sentences = [
        f"{_callers(operation)}.",
        "From certain addresses only." if restricted else "",
        _SESSION.get(operation.get("x-tollgate-session", ""), ""),
    ]
    return " ".join(filter(None, sentences))


def _callers(operation: Json) -> str:
    roles, security = operation.get("x-tollgate-roles", ()), operation["security"]
    if roles:
        some = "the role" if len(roles) == 1 else "one of the roles"
        return f"Signed in, with {some} {listed(roles, 'or')}"
    if not security or "x-tollgate-session" in operation:
        return "Anyone"
    return "Anyone, signed in or not" if {} in security else "Anyone who is signed in"


def policy(told: Json) -> str:
    """How many requests a policy of the description admits."""
    text = f"{told['limit']:,} {_span(told['window'])} {_scope(told['key'])}"
    if told["burst"] != told["limit"]:
        text += f", up to {told['burst']:,} at once"
    if roles := told.get("roles"):
        text += f" (with the role {listed(roles, 'or')})"
    return text


def _span(seconds: int) -> str:
    if seconds in _SPANS:
        return f"{'an' if seconds == 3600 else 'a'} {_SPANS[seconds]}"
    size = max(size for size in _SPANS if seconds % size == 0)
    return f"in {seconds // size:,} {_SPANS[size]}s"


def _scope(kinds: Sequence[str]) -> str:
    """`global` among others takes nothing apart."""
    apart = [_COUNTED[kind] for kind in kinds if kind != "global"]
    return f"per {listed(apart, 'and')}" if apart else f"for {_COUNTED['global']}"


def size(count: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return "1 byte" if count == 1 else f"{count:,} bytes"


def listed(names: Sequence[str], joint: str) -> str:
    """`a, b or c`"""
    return f" {joint} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
