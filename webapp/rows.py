"""Session rows: what is read from the sessions table, and the conditional writes to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from webapp.errors import Problem
from webapp.tables import Session, Stores

_CONDITION_FAILED = "ConditionalCheckFailedException"
_CONFLICT = "TransactionConflictException"
_LOST_RACES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class Key(NamedTuple):
    user_id: str
    session_hash: str


def key_of_row(row: Session) -> Key:
    return Key(row.user_id, row.session_id)


def family_of(row: Session) -> str:
    """What a session has in common with those it was refreshed to."""
    return row.family or row.session_id


def has_moved(row: Session | None) -> bool:
    """Whether a session goes on under another id."""
    return row is not None and row.revoked_at is None and row.refreshed_at is not None


def is_alive(row: Session, now: int) -> bool:
    return row.revoked_at is None and row.refreshed_at is None and row.expires_at > now


class Rows:
    """Every call raises a Problem (503) when the table does not answer."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    @property
    def model(self) -> type[Session]:
        return self._stores.sessions

    def find(self, key: Key) -> Session | None:
        with _store_errors():
            try:
                return self.model.get(*key, consistent_read=True)
            except DoesNotExist:
                return None

    def of_user(self, user_id: str) -> list[Session]:
        """All rows of a user, dead ones too, in one consistent query."""
        with _store_errors():
            return list(self.model.query(user_id, consistent_read=True))

    def add(self, row: Session) -> None:
        with _store_errors():
            row.save(self.model.session_id.does_not_exist())

    def change(self, key: Key, *actions: Action, provided: Condition | None = None) -> bool:
        """Change a session that is alive; False when it is not, or not as `provided`."""
        condition = self._alive()
        return self._update(key, actions, condition if provided is None else condition & provided)

    def bury(self, key: Key, now: int) -> bool:
        """Mark a session as revoked although it is refreshed, and so dead, already."""
        model = self.model
        present = model.session_id.exists() & model.revoked_at.does_not_exist()
        return self._update(key, (model.revoked_at.set(now),), present)

    def replace(self, old: Session, actions: Sequence[Action], new: Session) -> bool:
        """Change `old` and add `new`, both or neither; False when `old` is no longer as it was.

        Its roles count as well: a change of roles that races with this must not be lost.
        """
        unchanged = self._alive() & (self.model.roles == old.roles)
        with _store_errors():
            try:
                with self._stores.transaction() as transaction:
                    transaction.update(self.model(*key_of_row(old)), [*actions], unchanged)
                    transaction.save(new, self.model.session_id.does_not_exist())
            except TransactWriteError as error:
                reasons = {reason.code for reason in error.cancellation_reasons if reason}
                if reasons & _LOST_RACES and reasons <= _LOST_RACES:
                    return False
                raise
        return True

    def _alive(self) -> Condition:
        model = self.model
        alive: Condition = (
            model.session_id.exists()
            & model.revoked_at.does_not_exist()
            & model.refreshed_at.does_not_exist()
        )
        return alive

    def _update(
        self, key: Key, actions: tuple[Action, ...], condition: Condition, attempts: int = 4
    ) -> bool:
        """A write that meets a refresh on its way is refused, but the refresh is soon over."""
        try:
            self.model(*key).update(actions=[*actions], condition=condition)
        except PynamoDBException as error:
            if error.cause_response_code == _CONDITION_FAILED:
                return False
            if error.cause_response_code == _CONFLICT and attempts > 1:
                return self._update(key, actions, condition, attempts - 1)
            raise store_unavailable() from error
        return True


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PynamoDBException as error:
        raise store_unavailable() from error


def store_unavailable() -> Problem:
    return Problem("session_store_unavailable", "Sessions cannot be read or written at the moment.")
