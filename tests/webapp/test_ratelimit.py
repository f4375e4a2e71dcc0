from collections.abc import Callable, Sequence
from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.builders import route
from tests.webapp.containers import Clock
from tests.webapp.faults import Faults, failure
from tests.webapp.limited import over_table
from tests.webapp.ratetable import RateTable
from webapp import ratelimit
from webapp.addresses import read
from webapp.counters import (
    Counters,
    Demand,
    MemoryCounters,
    Outcome,
    StoreUnavailable,
    Tally,
)
from webapp.errors import Problem
from webapp.ledger import DynamoCounters
from webapp.ratelimit import Caller, Decision, Limit, Limiter
from webapp.settings import Policy
from webapp.tables import Stores

ADDRESS = "198.51.100.7"


class Down:
    """Shared counters that nobody reaches."""

    def take(self, demands: Sequence[Demand], now: int) -> Any:
        raise StoreUnavailable(f"{len(demands)} keys at {now}")


def policy(name: str = "p", **fields: Any) -> Policy:
    return Policy(**{"name": name, "key": "ip", "limit": 2, "window": 60} | fields)


def caller(user: str = "", address: str = ADDRESS, **fields: Any) -> Caller:
    return Caller(**{"address": read(address), "route": "users", "user": user} | fields)


ADA = caller("ada", session="5e55", roles=frozenset({"user"}))


class Asked:
    """A limiter and a clock, asked on behalf of callers of one route."""

    def __init__(self, *policies: Policy, shared: Counters | None = None) -> None:
        self.clock = Clock()
        self.lifetime = 0
        self.shared = shared or MemoryCounters()
        self.limiter = Limiter(policies, self._made, MemoryCounters(), self.clock)

    def _made(self, lifetime: int) -> Counters:
        self.lifetime = lifetime
        return self.shared

    def __call__(self, who: Caller = ADA) -> list[Decision]:
        limits = [
            *self.limiter.by_address(route(), who),
            *self.limiter.by_caller(route(), who),
        ]
        return self.limiter.decide(limits, who)

    def admits(self, who: Caller = ADA) -> bool:
        return not ratelimit.violations(self(who))


def retry_after(decisions: list[Decision]) -> int:
    return int(ratelimit.refusal(ratelimit.violations(decisions)).headers["Retry-After"])


# which policies apply


def names(limits: Sequence[Limit]) -> list[str]:
    return [limit.policy.name for limit in limits]


def test_only_policies_of_just_the_address_come_before_identity() -> None:
    asked = Asked(
        policy("ip"),
        policy("listed", key=("ip",)),
        policy("composite", key=("ip", "route")),
        policy("tier", roles=("user",)),
        policy("user", key="user"),
        policy("everyone", key="global"),
    )
    assert names(asked.limiter.by_address(route(), ADA)) == ["ip", "listed"]
    assert names(asked.limiter.by_caller(route(), ADA)) == ["composite", "tier", "user", "everyone"]


def test_a_policy_applies_to_its_routes_or_to_all() -> None:
    limiter = Asked(policy("all"), policy("some", routes=("users",)), policy("none", routes=()))
    assert [p.name for p in limiter.limiter.policies(route(), ADA)] == ["all", "some"]
    assert [p.name for p in limiter.limiter.policies(route(id="other"), ADA)] == ["all"]


def test_a_policy_with_roles_applies_to_callers_with_one_of_them() -> None:
    limiter = Asked(policy("pro", roles=("pro", "admin"))).limiter
    assert limiter.policies(route(), caller("bob", roles=frozenset({"admin", "x"})))
    assert not limiter.policies(route(), ADA)
    assert not limiter.policies(route(), caller())


def test_exempt_addresses_are_not_limited() -> None:
    asked = Asked(policy(exempt=("198.51.100.0/24", "2001:db8::/32"), limit=1))
    assert all(asked.admits(caller(address=ADDRESS)) for _ in range(3))
    assert all(asked.admits(caller(address="2001:db8::1")) for _ in range(3))
    assert [asked.admits(caller(address="192.0.2.1")) for _ in range(2)] == [True, False]


def test_nothing_to_decide_asks_nobody() -> None:
    assert Asked(shared=Down())() == []


# keys


@pytest.mark.parametrize(
    ("key", "who", "expected"),
    [
        ("ip", caller(), "ip:198.51.100.7"),
        ("ip", caller(address="2001:db8:1:2:3::4"), "ip:2001:db8:1:2::/64"),
        ("ip", caller(address="::ffff:198.51.100.7"), "ip:198.51.100.7"),
        ("user", ADA, "user:ada"),
        ("user", caller(), "ip:198.51.100.7"),
        ("session", ADA, "session:5e55"),
        ("session", caller(), "ip:198.51.100.7"),
        ("route", ADA, "route:users"),
        ("global", ADA, "global"),
        (("user", "route"), ADA, "user:ada|route:users"),
        (("ip", "user", "session"), ADA, "ip:198.51.100.7|user:ada|session:5e55"),
    ],
)
def test_a_key_names_its_kind(key: Any, who: Caller, expected: str) -> None:
    assert Limit(policy(key=key)).key(who) == expected


users = st.text(st.sampled_from("ab|:ip"), min_size=1, max_size=8)


@given(users, users)
def test_no_user_counts_as_another_or_as_an_address(one: str, other: str) -> None:
    composite = Limit(policy(key=("user", "route"))).key
    alone = Limit(policy(key="user")).key
    keys = {composite(caller(one)), alone(caller(one)), composite(caller()), alone(caller())}
    assert len(keys) == 4
    assert (alone(caller(one)) == alone(caller(other))) == (one == other)


def test_a_user_cannot_forge_a_composite_key() -> None:
    key = Limit(policy(key=("user", "route"))).key
    assert key(caller("ada|route:users", route="x")) != key(caller("ada", route="users|route:x"))


def test_long_keys_are_hashed_and_keep_their_kinds() -> None:
    key = Limit(policy(key=("user", "session", "ip", "global"))).key
    longest = key(caller("|" * 256, "2001:db8::1", session="f" * 64))
    assert longest.startswith("user|session|ip|global|sha256|")
    assert len(longest) < 512
    assert longest != key(caller("|" * 255 + "x", "2001:db8::1", session="f" * 64))


@pytest.mark.parametrize(("length", "hashed"), [(507, False), (508, True)])
def test_short_keys_stay_readable(length: int, hashed: bool) -> None:
    key = Limit(policy(key="user")).key(caller("x" * length))
    assert (key.startswith("user|sha256|")) == hashed


def test_a_user_cannot_forge_a_hashed_key() -> None:
    key = Limit(policy(key="user")).key
    hashed = key(caller("x" * 600))
    assert key(caller(hashed.removeprefix("user"))) != hashed
    assert key(caller(hashed.removeprefix("user|"))) != hashed


def test_an_unknown_address_is_limited_all_the_same() -> None:
    asked = Asked(policy(limit=1))
    unknown = Caller(address=None, route="users")
    assert [asked.admits(unknown) for _ in range(2)] == [True, False]


# decisions


def test_a_limit_lets_exactly_that_many_through() -> None:
    asked = Asked(policy(limit=5))
    assert [asked.admits() for _ in range(7)] == [True] * 5 + [False] * 2


def test_burst_is_what_passes_at_once_and_limit_is_the_rate() -> None:
    asked = Asked(policy(limit=6, window=60, burst=3))
    assert [asked.admits() for _ in range(4)] == [True] * 3 + [False]
    asked.clock.advance(10)
    assert [asked.admits() for _ in range(2)] == [True, False]


def test_a_refusal_uses_up_nothing_of_policies_decided_with_it() -> None:
    asked = Asked(policy("few", key="user", limit=1), policy("many", key="global", limit=3))
    assert [asked.admits() for _ in range(5)] == [True] + [False] * 4
    assert [asked.admits(caller("bob")), asked.admits(caller("eve"))] == [True, True]
    assert not asked.admits(caller("dan"))


def test_a_policy_in_shadow_reports_and_never_refuses() -> None:
    asked = Asked(policy("s", mode="shadow", limit=1))
    decisions = [asked()[0] for _ in range(3)]
    assert [d.admitted for d in decisions] == [True, False, False]
    assert ratelimit.violations(decisions) == []


def test_remaining_and_reset_count_down() -> None:
    asked = Asked(policy(limit=3, window=60))
    told = [(d.remaining, d.reset) for d in (asked()[0] for _ in range(4))]
    # at 0 the time is that of the next request that would pass, no longer that of a full budget
    assert told == [(2, 20), (1, 40), (0, 20), (0, 20)]
    asked.clock.advance(60)
    assert [(d.remaining, d.reset) for d in asked()] == [(2, 20)]


def test_a_lease_is_told_as_if_there_were_none() -> None:
    table, clock = RateTable(), Clock()
    day = policy("day", limit=1_000, window=86_400)
    seen = policy("seen", limit=900, window=86_400, mode="shadow")
    asked = Asked(day, seen, shared=over_table(table, clock))
    alone = Asked(day, seen)
    for _ in range(1_100):
        for each in (asked, alone):
            each.clock.advance(0.025)
        clock.now = asked.clock.now
        assert asked() == alone()
    assert table.writes < 700


def test_what_passed_but_was_not_taken_is_told_as_it_is() -> None:
    asked = Asked(policy("few", key="user", limit=1), policy("many", key="user", limit=10))
    asked()
    few, many = asked()
    assert (few.admitted, few.remaining, few.reset) == (False, 0, 60)
    assert (many.admitted, many.remaining, many.reset) == (True, 9, 6)


@given(
    limit=st.integers(1, 50),
    window=st.integers(1, 100),
    burst=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 3), max_size=12),
)
def test_whoever_waits_as_told_passes(
    limit: int, window: int, burst: int, gaps: list[float]
) -> None:
    asked = Asked(
        policy("a", limit=limit, window=window, burst=burst),
        policy("b", key="user", limit=7, window=60, burst=3),
    )
    for gap in gaps:
        asked.clock.advance(gap)
        decisions = asked()
        if ratelimit.violations(decisions):
            asked.clock.advance(retry_after(decisions))
            assert asked.admits()


def test_the_lifetime_of_rows_is_the_slowest_of_all_policies() -> None:
    asked = Asked(policy(limit=100, window=1), policy("slow", limit=2, window=3600, burst=5))
    assert asked.lifetime == 5 * 1800 * 10**9
    assert Asked().lifetime == 0


def test_rows_shared_by_policies_outlive_the_slowest(
    stores: Stores, faults: Faults, clock: Clock
) -> None:
    def shared(lifetime: int) -> Counters:
        return DynamoCounters(lambda: stores.limits, stores.rate_limits_table, lifetime, clock)

    policies = (policy("slow", window=7_200), policy("quick", key="user", limit=10, window=1))
    limiter = Limiter(policies, shared, MemoryCounters(), clock)
    nobody = caller()
    limiter.decide(limiter.by_address(route(), nobody), nobody)
    limiter.decide(limiter.by_caller(route(), nobody), nobody)
    key = {"rate_limit_key": {"S": "ip:198.51.100.7"}}
    item = stores.limits.get_item(TableName=stores.rate_limits_table, Key=key)["Item"]
    assert {"tat:slow", "tat:quick"} < set(item)
    assert int(item["ttl"]["N"]) >= clock() // 10**9 + 7_200


class Blocked:
    """Shared counters whose keys an operator has blocked."""

    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        return Outcome(False, tuple(Tally({}, frozenset()) for _ in demands), blocked=bool(now))


@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_a_blocked_key_is_403(mode: str) -> None:
    with pytest.raises(Problem) as refused:
        Asked(policy(mode=mode), shared=Blocked())()
    assert (refused.value.status, refused.value.code) == (403, "forbidden")


# a store that fails


def test_an_open_policy_lets_everyone_pass_undecided() -> None:
    assert Asked(policy(limit=1), shared=Down())() == []


def test_a_closed_policy_is_503() -> None:
    asked = Asked(policy("o"), policy("c", on_store_error="closed"), shared=Down())
    with pytest.raises(Problem) as refused:
        asked()
    assert (refused.value.status, refused.value.code) == (503, "rate_limit_store_unavailable")
    assert refused.value.headers["Retry-After"] == "1"


def test_a_closed_policy_in_shadow_refuses_nobody() -> None:
    assert Asked(policy(mode="shadow", on_store_error="closed"), shared=Down())() == []


def test_a_local_policy_counts_in_this_container() -> None:
    local = policy("l", limit=2, on_store_error="local")
    asked = Asked(policy("open", limit=1), local, shared=Down())
    assert [asked.admits() for _ in range(4)] == [True, True, False, False]
    assert [d.policy.name for d in asked()] == ["l"]


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceNotFoundException"])
def test_throttling_is_a_store_error(
    stores: Stores, faults: Faults, clock: Clock, code: str
) -> None:
    def shared(lifetime: int) -> Counters:
        return DynamoCounters(lambda: stores.limits, stores.rate_limits_table, lifetime, clock)

    faults.failing = failure(code)
    closed = policy("c", on_store_error="closed")
    limiter = Limiter((closed,), shared, MemoryCounters(), clock)
    with pytest.raises(Problem, match="rate_limit_store_unavailable"):
        limiter.decide(limiter.by_address(route(), ADA), ADA)


# header fields


def parsed(field: str) -> list[tuple[str, dict[str, Any]]]:
    return list(http_sf.parse(field.encode(), tltype="list"))


def test_the_policy_field_names_the_enforced_policies() -> None:
    policies = [
        policy("per-user", limit=500, burst=600),
        policy("seen", mode="shadow"),
        policy("per-ip", limit=100),
    ]
    field = ratelimit.policy_field(policies)
    assert field == '"per-user";q=500;w=60, "per-ip";q=100;w=60'
    assert parsed(field) == [("per-user", {"q": 500, "w": 60}), ("per-ip", {"q": 100, "w": 60})]


def test_the_limit_field_tells_what_was_decided() -> None:
    decisions = [
        Decision(policy("per-user"), True, 42, 18),
        Decision(policy("seen", mode="shadow"), False, 0, 9),
        Decision(policy("per-ip"), False, 0, 7),
    ]
    field = ratelimit.limit_field(decisions)
    assert field == '"per-user";r=42;t=18, "per-ip";r=0;t=7'
    assert parsed(field) == [("per-user", {"r": 42, "t": 18}), ("per-ip", {"r": 0, "t": 7})]


@pytest.mark.parametrize("field", [ratelimit.policy_field, ratelimit.limit_field])
def test_nothing_to_tell_is_no_field(field: Callable[[list[Any]], str]) -> None:
    assert field([]) == ""


def test_a_refusal_names_the_violated_policies_and_the_longest_wait() -> None:
    problem = ratelimit.refusal(
        [Decision(policy("a"), False, 0, 7), Decision(policy("b"), False, 0, 30)]
    )
    assert (problem.status, problem.code) == (429, "rate_limited")
    assert problem.headers["Retry-After"] == "30"
    assert problem.headers["Cache-Control"] == "no-store"
    assert problem.document("r")["violated-policies"] == ["a", "b"]
    assert str(problem.document("r")["type"]).endswith("#quota-exceeded")
