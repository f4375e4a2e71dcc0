"""The counters that all containers share: one conditional write decides and counts."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

from webapp import leases, rateitems
from webapp.circuit import Circuit
from webapp.counters import REMEMBERED_KEYS, Demand, Outcome, State, StoreUnavailable, Tally
from webapp.gcra import NANOSECONDS
from webapp.leases import Lease, Leases
from webapp.rateitems import Item, Outdated, Taking, Update
from webapp.recent import Recent
from webapp.tables import usage

# The state a write depends on may change once between two tries; under any load that admits
# requests at all the second try succeeds. What still fails then counts as a store that failed.
_ATTEMPTS = 4

# A try takes 0.2 s at most. No further one is begun after this, so that all end within 0.3 s.
_PATIENCE = NANOSECONDS // 10

# A refusal is certain by what was last seen, but for an operator's reset or unblock: ask again.
RECHECK = 10 * NANOSECONDS


class Seen(NamedTuple):
    """An item as this container last saw it, and when."""

    item: Item
    at: int


_UNSEEN = Seen(Item({}), 0)


class DynamoCounters:
    """A refusal by what the container last saw is certain, for TATs only grow, and costs nothing.

    A key that is asked for often is leased (`webapp.leases`). Several keys are one transaction, at
    twice the price.
    """

    def __init__(
        self,
        client: Callable[[], BaseClient],
        table: str,
        lifetime: int,
        clock: Callable[[], int],
    ) -> None:
        """`lifetime`: nanoseconds after which the slowest bucket of any policy is full again."""
        self._client = client
        self._table = table
        self._lifetime = lifetime
        self._clock = clock
        self._circuit = Circuit(clock)
        self._seen: Recent[str, Seen] = Recent(REMEMBERED_KEYS)
        self._leases = Leases(REMEMBERED_KEYS)

    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        paces = {demand.key: self._leases.count(demand, now) for demand in demands}
        held = {d.key: lease for d in demands if (lease := self._leases.take(d, now))}
        asked = [demand for demand in demands if demand.key not in held]
        try:
            outcome = self._ask(asked, paces, now)
        except StoreUnavailable:
            if counted := usage.get(None):
                counted.errors += 1
            self._leases.give_back(held.values())
            raise
        if not outcome.admitted:
            self._leases.give_back(held.values())
        return outcome._replace(tallies=_merged(demands, held, outcome.tallies))

    def _ask(self, demands: Sequence[Demand], paces: dict[str, float], now: int) -> Outcome:
        for attempt in range(_ATTEMPTS):
            if attempt and self._clock() - now > _PATIENCE:
                raise StoreUnavailable("slow")
            seen = [self._recalled(demand, now) for demand in demands]
            tallies = tuple(d.tally(s.item.state, now) for d, s in zip(demands, seen, strict=True))
            if any(s.item.blocked > now for s in seen):
                return Outcome(False, tallies, blocked=True)
            if not all(d.met(tally) for d, tally in zip(demands, tallies, strict=True)):
                return Outcome(False, tallies)
            takings = [
                Taking(d, s.item.state, t, leases.units(d, t.state, now, paces[d.key]))
                for d, s, t in zip(demands, seen, tallies, strict=True)
            ]
            if (states := self._write(takings, now)) is not None:
                begun = map(self._begun, takings, states, [now] * len(takings))
                return Outcome(True, tuple(begun))
        raise StoreUnavailable("contended")

    def _recalled(self, demand: Demand, now: int) -> Seen:
        """What is known of a key; nothing, so that it is asked for, if that refuses for long."""
        seen = self._seen.get(demand.key) or _UNSEEN
        refuses = len(demand.tally(seen.item.state, now).passed) < len(demand.buckets)
        old = not 0 <= now - seen.at < RECHECK
        if old and (refuses or seen.item.blocked > now):
            return _UNSEEN
        return seen

    def _write(self, takings: Sequence[Taking], now: int) -> list[State] | None:
        """The states after the write, or None if the guess was wrong; they are remembered."""
        writing = [taking for taking in takings if taking.buckets]
        try:
            answers = self._send([t.update(self._table, now, self._lifetime) for t in writing])
        except Outdated as outdated:
            for taking, item in zip(writing, outdated.items, strict=True):
                if item is not None:
                    self._seen.put(taking.demand.key, Seen(item, now))
            return None
        answered = {t.demand.key: state for t, state in zip(writing, answers, strict=True)}
        states = [t.after(now) | answered.get(t.demand.key, {}) for t in takings]
        for taking in writing:
            state = taking.known | taking.after(now) | answered[taking.demand.key]
            self._seen.put(taking.demand.key, Seen(Item(state), now))
        return states

    def _begun(self, taking: Taking, state: State, now: int) -> Tally:
        """The tally after a write; a lease begins if more than one unit was taken."""
        if taking.units:
            state = self._leases.begin(taking.demand, taking.units, state, now).state()
        return Tally(state, taking.tally.passed)

    def _send(self, updates: list[Update]) -> list[State]:
        """Write all or nothing; what the table answered to each, which is nothing for several.

        Raises Outdated or StoreUnavailable.
        """
        if not updates:
            return []
        if self._circuit.wait():
            raise StoreUnavailable("left alone")
        try:
            states = self._sent(updates)
        except ClientError as error:
            # An answer, though: a hot item that is throttled must not stop the limits of others.
            reached = error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
            self._judge(reached)
            raise rateitems.outdated(error.response, len(updates)) or StoreUnavailable(
                error.response["Error"]["Code"]
            ) from error
        except (BotoCoreError, KeyError) as error:
            self._judge(False)
            raise StoreUnavailable(type(error).__name__) from error
        self._judge(True)
        return states

    def _sent(self, updates: list[Update]) -> list[State]:
        if len(updates) == 1:
            answer = self._client().update_item(**updates[0], ReturnValues="UPDATED_NEW")
            return [rateitems.read(answer["Attributes"]).state]
        self._client().transact_write_items(TransactItems=[{"Update": u} for u in updates])
        return [{} for _ in updates]

    def _judge(self, reached: bool) -> None:
        if reached:
            self._circuit.succeeded()
        else:
            self._circuit.failed()


def _merged(
    demands: Sequence[Demand], held: dict[str, Lease], asked: Iterable[Tally]
) -> tuple[Tally, ...]:
    """A tally for every demand, in their order: from its lease, or as the table has answered."""
    answers = iter(asked)
    return tuple(
        Tally(held[d.key].state(), frozenset(b.name for b in d.buckets))
        if d.key in held
        else next(answers)
        for d in demands
    )
