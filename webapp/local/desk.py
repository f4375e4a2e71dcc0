"""The desk: an operator makes, lists and ends sessions, or changes their roles."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from webapp.errors import Problem
from webapp.keys import Keys
from webapp.local import deployed
from webapp.rows import key_of_row
from webapp.sessions import Device, Sessions, display_id
from webapp.settings.gateway import Role
from webapp.settings.mistakes import Mistake, Mistakes, shown
from webapp.settings.read import load
from webapp.signin import USER, iso
from webapp.tables import Session, Stores
from webapp.tokens import Tokens

_COLUMNS = ("ID", "CREATED", "LAST USED", "EXPIRES", "ADDRESS", "USER AGENT")
_OPERATOR = Device("", "python -m webapp sessions create")


class Desk:
    """Whatever is wrong, with what was asked or with the tables, is raised as Mistakes."""

    def __init__(self, stack: str) -> None:
        rules = load(stack).settings.session
        self._stack = stack
        self._table = deployed.sessions_table(stack)
        self._stores = Stores(self._table, "", deployed.region(stack))
        self._sessions = Sessions(self._stores, rules, time.time_ns)

    def create(self, user: str, roles: tuple[str, ...]) -> str:
        """A token of a new session."""
        secret = deployed.signing_secret(self._stack)
        keys = Keys(self._stores, secret, time.time_ns)
        tokens = Tokens(keys, time.time_ns)
        with _reported(secret):
            keys.secrets()
        with _reported(self._table):
            session = self._sessions.start(_user(user), _roles(roles), _OPERATOR)
            return tokens.sign(session)

    def listing(self, user: str) -> Iterator[str]:
        """A table of the user's live sessions, its head first."""
        with _reported(self._table):
            rows = self._sessions.roster.live(_user(user))
        lines = [_COLUMNS, *map(_line, rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            yield "  ".join(cells).rstrip()

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


def _line(row: Session) -> tuple[str, ...]:
    times = (iso(int(at)) for at in (row.created_at, row.last_used_at, row.expires_at))
    # A client chooses it, and a terminal obeys some characters.
    agent = "".join(char if char.isprintable() else "?" for char in row.user_agent)
    return (display_id(row.session_id), *times, row.client_ip, agent)


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
