"""Sign-in and sign-out: what the operator's own service answers becomes a session, or ends one."""

import re
from datetime import UTC, datetime

import msgspec

from webapp.call import Call
from webapp.cookies import cleared_cookie, session_cookie
from webapp.errors import Problem
from webapp.proxy import Answer
from webapp.relaying import invalid_answer
from webapp.sessions import Sessions, digest
from webapp.settings import SessionSettings
from webapp.settings.gateway import Role
from webapp.tokens import Tokens

Header = tuple[str, str]

_DONE = frozenset({302, 303})

# str.strip() would cut control characters, too, instead of refusing them.
_BLANK = " \t"

# It becomes a header value, a key and a path segment of the admin endpoints.
_USER = re.compile(r"(?!.*[/\\?#;%])[ -~]{1,256}")


def done(answer: Answer) -> bool:
    """Whether a sign-in or sign-out succeeded: form posts and OAuth callbacks redirect."""
    return 200 <= answer.status <= 299 or answer.status in _DONE


def iso(seconds: int) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class SignIn:
    """The steps after the answer of a route with `session: issue` or `session: end`."""

    def __init__(self, sessions: Sessions, tokens: Tokens, rules: SessionSettings) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._rules = rules

    def headers(self, call: Call, answer: Answer) -> list[Header]:
        """The headers to add to the answer. Raises a Problem: 502 for a bad user, 503."""
        if not call.route.session or not done(answer):
            return []
        if call.route.session == "end":
            self._end_presented(call)
            return [("Set-Cookie", cleared_cookie(self._rules)), ("Cache-Control", "no-store")]
        users = _values(answer, "tollgate-session-user")
        return self._issue(call, _user(users), _roles(answer)) if users else []

    def _issue(self, call: Call, user_id: str, roles: tuple[str, ...]) -> list[Header]:
        address, agent = call.request.address, call.request.header("user-agent")
        token = self._sessions.start(user_id, roles, str(address or ""), agent or "")
        signed = self._tokens.sign(token)
        self._end_presented(call)
        headers = [
            ("Set-Cookie", session_cookie(self._rules, signed, self._rules.ttl)),
            ("Cache-Control", "no-store"),
            ("Tollgate-Session-Expires", iso(token.expires_at)),
        ]
        if not any(name.startswith("sec-fetch-") for name, _ in call.request.headers):
            headers.append(("Tollgate-Session-Token", signed))
        return headers

    def _end_presented(self, call: Call) -> None:
        """Revoke the session that the client already had, if what it presents is one."""
        try:
            token = call.credential and self._tokens.verify(call.credential.token)
        except Problem as problem:
            if problem.status >= 500:
                raise
            return
        if token:
            self._sessions.revoke(token.user_id, digest(token.session_id))


def _values(answer: Answer, name: str) -> list[str]:
    return [value.strip(_BLANK) for key, value in answer.headers if key.lower() == name]


def _user(values: list[str]) -> str:
    if len(values) != 1 or not _USER.fullmatch(values[0]):
        raise invalid_answer()
    return values[0]


def _roles(answer: Answer) -> tuple[str, ...]:
    listed = ",".join(_values(answer, "tollgate-session-roles")).split(",")
    roles = tuple(dict.fromkeys(filter(None, (role.strip(_BLANK) for role in listed))))
    try:
        return msgspec.convert(roles, tuple[Role, ...])
    except msgspec.ValidationError:
        raise invalid_answer() from None
