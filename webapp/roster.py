"""The roster: all sessions of one user, listed, ended or given other roles."""

from collections.abc import Callable, Iterable

from pynamodb.expressions.update import Action

from webapp.rows import (
    Key,
    Rows,
    family_of,
    has_moved,
    is_alive,
    key_of_row,
    store_unavailable,
)
from webapp.tables import Session

# To escape a change of all sessions a client must refresh at just the right moment in each pass.
_PASSES = 5


class Roster:
    """Whatever asks the table raises a Problem (503) when that does not answer."""

    def __init__(self, rows: Rows, now: Callable[[], int], forget: Callable[[Key], None]) -> None:
        """`forget` is told which rows this container must not trust its memory about."""
        self._rows = rows
        self._now = now
        self._forget = forget

    def live(self, user_id: str) -> list[Session]:
        """The rows of a user's live sessions, the one used last first."""
        rows = [row for row in self._rows.of_user(user_id) if is_alive(row, self._now())]
        return sorted(rows, key=lambda row: (row.last_used_at, row.created_at), reverse=True)

    def revoke(self, key: Key) -> bool:
        """End a session at once and everywhere, or the one it became; False if neither lives."""
        if self._change(key, self._end()):
            return True
        row = self._rows.find(key)
        if row is None or not has_moved(row):
            return False
        return self.revoke_all(row.user_id, family=family_of(row)) > 0

    def revoke_all(self, user_id: str, *, family: str = "", last: Key | None = None) -> int:
        """End all sessions of a user, or of one family; how many.

        `last` is ended after the others: a caller who is told of a failure can then try again.
        """
        return self._change_all(user_id, self._end(), family, last)

    def set_roles(self, user_id: str, roles: Iterable[str]) -> int:
        """Give all sessions of a user these roles; how many."""
        return self._change_all(user_id, self._rows.model.roles.set([*roles]))

    def _end(self) -> Action:
        return self._rows.model.revoked_at.set(self._now())

    def _change_all(
        self, user_id: str, action: Action, family: str = "", last: Key | None = None
    ) -> int:
        """Change all live sessions, wherever refreshes move them meanwhile."""
        changed: set[Key] = set()
        for _ in range(_PASSES):
            keys = sorted(self._live_keys(user_id, family), key=lambda key: key == last)
            missed = [key for key in keys if not self._change(key, action)]
            changed.update(key for key in keys if key not in missed)
            if not any(has_moved(self._rows.find(key)) for key in missed):
                return len(changed)
        raise store_unavailable()

    def _live_keys(self, user_id: str, family: str) -> set[Key]:
        """By one query, which may see that a session was refreshed, but not yet its successor."""
        rows = [r for r in self._rows.of_user(user_id) if not family or family_of(r) == family]
        successors = {Key(user_id, row.successor) for row in rows if row.successor}
        live = {key_of_row(row) for row in rows if is_alive(row, self._now())}
        return live | successors - {key_of_row(row) for row in rows}

    def _change(self, key: Key, action: Action) -> bool:
        self._forget(key)
        return self._rows.change(key, action)
