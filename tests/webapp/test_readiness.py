from collections.abc import Callable

import pytest

from tests.webapp.containers import Clock
from tests.webapp.faults import DOWN, Faults, failure
from webapp.keys import Keys
from webapp.readiness import Readiness
from webapp.settings import Runtime
from webapp.tables import Stores

WELL = {"signing_key": "ok", "session_store": "ok", "rate_limit_store": "ok"}

Make = Callable[..., Readiness]


@pytest.fixture
def make(runtime: Runtime, clock: Clock) -> Make:
    """The readiness of a container that is told other tables or another secret."""

    def made(**told: str) -> Readiness:
        facts = {
            "sessions": runtime.sessions_table,
            "limits": runtime.rate_limits_table,
            "secret": runtime.signing_secret_arn,
        } | told
        stores = Stores(facts["sessions"], facts["limits"], runtime.region)
        return Readiness(stores, Keys(stores, facts["secret"], clock), clock)

    return made


def test_ready_when_key_and_stores_answer(make: Make) -> None:
    assert make().state() == ("", WELL)


@pytest.mark.parametrize(
    ("told", "check", "reason"),
    [
        ("secret", "signing_key", "signing_key_unavailable"),
        ("sessions", "session_store", "session_store_unavailable"),
        ("limits", "rate_limit_store", "rate_limit_store_unavailable"),
    ],
)
def test_what_does_not_answer_is_the_reason(make: Make, told: str, check: str, reason: str) -> None:
    assert make(**{told: "missing"}).state() == (reason, WELL | {check: "failed"})


def test_nothing_answers(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", DOWN)
    assert make().state() == ("signing_key_unavailable", dict.fromkeys(WELL, "failed"))


def test_it_is_remembered_for_five_seconds(make: Make, faults: Faults, clock: Clock) -> None:
    readiness = make()
    readiness.state()
    asked = len(faults.operations)
    faults.failing = failure("AccessDeniedException")
    clock.advance(4.999)
    assert readiness.state() == ("", WELL)
    assert len(faults.operations) == asked == 3
    clock.advance(0.001)
    assert readiness.state()[0] == "session_store_unavailable"


def test_a_failure_is_remembered_as_long(make: Make, faults: Faults, clock: Clock) -> None:
    readiness = make()
    faults.failing = failure("AccessDeniedException")
    assert readiness.state()[0] == "signing_key_unavailable"
    faults.failing = None
    clock.advance(4.999)
    assert readiness.state()[0] == "signing_key_unavailable"
    clock.advance(0.001)
    assert readiness.state() == ("", WELL)


def test_it_reads_and_never_writes(make: Make, faults: Faults) -> None:
    make().state()
    assert sorted(faults.operations) == ["GetItem", "GetItem", "GetSecretValue"]
