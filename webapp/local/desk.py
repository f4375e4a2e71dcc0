"""The desk: an operator makes, lists and ends sessions, or changes their roles."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from webapp.errors import Problem
from webapp.keys import Keys
from webapp.local import deployed
from webapp.rows import key_of_row
from webapp.sessions import Device, Sessions, display_id, key_of
from webapp.settings.gateway import Role
from webapp.settings.mistakes import Mistake, Mistakes, shown
from webapp.settings.read import load
from webapp.signin import USER, iso
from webapp.tables import Session, Stores
from webapp.tokens import Tokens

_COLUMNS = ("ID", "CREATED", "LAST USED", "EXPIRES", "ROLES", "ADDRESS", "USER AGENT")
_OPERATOR = Device("", "python -m webapp sessions create")


class Started(NamedTuple):
    token: str
    id: str
    expires_at: str


class Listed(NamedTuple):
    """A live session, with the names and the spelling of `GET /auth/sessions`, and its roles."""

    id: str
    created_at: str
    last_used_at: str
    expires_at: str
    roles: list[str]
    client_ip: str
    user_agent: str


class Desk:
    """Whatever is wrong, with what was asked or with the tables, is raised as Mistakes."""

    def __init__(self, stack: str) -> None:
        rules = load(stack).settings.session
        self._stack = stack
        self._table = deployed.sessions_table(stack)
        self._stores = Stores(self._table, "", deployed.region(stack))
        self._sessions = Sessions(self._stores, rules, time.time_ns)

    def create(self, user: str, roles: tuple[str, ...]) -> Started:
        secret = deployed.signing_secret(self._stack)
        keys = Keys(self._stores, secret, time.time_ns)
        tokens = Tokens(keys, time.time_ns)
        with _reported(secret):
            keys.secrets()
        with _reported(self._table):
            session = self._sessions.start(_user(user), _roles(roles), _OPERATOR)
            shown_id = display_id(key_of(session).session_hash)
            return Started(tokens.sign(session), shown_id, iso(session.expires_at))

    def listing(self, user: str) -> list[Listed]:
        """The user's live sessions, the one used last first."""
        with _reported(self._table):
            return [_listed(row) for row in self._sessions.roster.live(_user(user))]

    def revoke(self, user: str, shown_id: str | None) -> int:
        """End one session, or all; how many."""
        roster = self._sessions.roster
        with _reported(self._table):
            if shown_id is None:
                return roster.revoke_all(_user(user))
            rows = [r for r in roster.live(_user(user)) if display_id(r.session_id) == shown_id]
            return sum(roster.revoke(key_of_row(row)) for row in rows)

    def set_roles(self, user: str, roles: tuple[str, ...]) -> int:
        """Give all sessions of a user these roles; how many."""
        with _reported(self._table):
            return self._sessions.roster.set_roles(_user(user), _roles(roles))


@contextmanager
def _reported(place: str) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        reason = str(problem.__cause__ or problem.detail)
        raise Mistakes([Mistake(place, " ".join(reason.split()))]) from None


def _listed(row: Session) -> Listed:
    return Listed(
        id=display_id(row.session_id),
        created_at=iso(int(row.created_at)),
        last_used_at=iso(int(row.last_used_at)),
        expires_at=iso(int(row.expires_at)),
        roles=[*row.roles],
        client_ip=row.client_ip,
        user_agent=row.user_agent,
    )


def table(sessions: Iterable[Listed]) -> Iterator[str]:
    """Lines of columns, their head first."""
    lines = [_COLUMNS, *map(_cells, sessions)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _cells(session: Listed) -> tuple[str, ...]:
    # A client chooses it, and a terminal obeys some characters.
    agent = "".join(char if char.isprintable() else "?" for char in session.user_agent)
    return (*session[:4], ",".join(session.roles) or "-", session.client_ip, agent)


def _user(user: str) -> str:
    if not USER.fullmatch(user):
        message = r"is no user id: 1 to 256 printable ASCII characters without / \ ? # ; %"
        raise Mistakes([Mistake(f"USER {shown(user)}", message)])
    return user


def _roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    for role in roles:
        try:
            msgspec.convert(role, Role)
        except msgspec.ValidationError:
            message = "is no role: at most 64 letters, digits and _.:-"
            raise Mistakes([Mistake(f"ROLE {shown(role)}", message)]) from None
    return roles
