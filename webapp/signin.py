"""Sign-in and sign-out: what the operator's own service answers becomes a session, or ends one."""

import re
from datetime import UTC, datetime

import msgspec

from webapp.call import Call
from webapp.cookies import cleared_cookie, session_cookie
from webapp.errors import Problem
from webapp.guards import FailedSignIns
from webapp.proxy import Answer
from webapp.relaying import invalid_answer
from webapp.sessions import Sessions, key_of
from webapp.settings import SessionSettings
from webapp.settings.gateway import Role
from webapp.tokens import Tokens

Header = tuple[str, str]

_DONE = frozenset({302, 303})
_FAILED = frozenset({401, 403})

# str.strip() would cut control characters, too, instead of refusing them.
_BLANK = " \t"

# It becomes a header value, a key and a path segment of the admin endpoints.
USER = re.compile(r"(?!.*[/\\?#;%])[ -~]{1,256}")


def done(answer: Answer) -> bool:
    """Whether a sign-in or sign-out succeeded: form posts and OAuth callbacks redirect."""
    return 200 <= answer.status <= 299 or answer.status in _DONE


def iso(seconds: int) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class SignIn:
    """What surrounds the exchange of a route with `session: issue` or `session: end`."""

    def __init__(
        self, sessions: Sessions, tokens: Tokens, failures: FailedSignIns, rules: SessionSettings
    ) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._failures = failures
        self._rules = rules

    def admit(self, call: Call) -> None:
        """Raises a Problem: 429 for a sign-in from an address where too many have failed."""
        if call.route.session == "issue":
            self._failures.check(call.request.address)

    def headers(self, call: Call, answer: Answer) -> list[Header]:
        """The headers to add to the answer; the cookie is the call's.

        Raises a Problem: 502 for a bad user, 503.
        """
        if call.route.session == "issue" and answer.status in _FAILED:
            self._failures.count(call.request.address)
        if not call.route.session or not done(answer):
            return []
        if call.route.session == "end":
            self._end_presented(call)
            call.cookie = cleared_cookie(self._rules)
            return []
        users = _values(answer, "tollgate-session-user")
        return self._issue(call, _user(users), _roles(answer)) if users else []

    def _issue(self, call: Call, user_id: str, roles: tuple[str, ...]) -> list[Header]:
        call.issued = token = self._sessions.start(user_id, roles, call.device)
        signed = self._tokens.sign(token)
        self._end_presented(call)
        call.cookie = session_cookie(self._rules, signed, self._rules.ttl)
        headers = [("Tollgate-Session-Expires", iso(token.expires_at))]
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
            call.token = token
            self._sessions.roster.revoke(key_of(token))


def _values(answer: Answer, name: str) -> list[str]:
    return [value.strip(_BLANK) for key, value in answer.headers if key.lower() == name]


def _user(values: list[str]) -> str:
    if len(values) != 1 or not USER.fullmatch(values[0]):
        raise invalid_answer()
    return values[0]


def _roles(answer: Answer) -> tuple[str, ...]:
    listed = ",".join(_values(answer, "tollgate-session-roles")).split(",")
    roles = tuple(dict.fromkeys(filter(None, (role.strip(_BLANK) for role in listed))))
    try:
        return msgspec.convert(roles, tuple[Role, ...])
    except msgspec.ValidationError:
        raise invalid_answer() from None
