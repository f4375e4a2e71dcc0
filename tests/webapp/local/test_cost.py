from typing import Any

import pytest

from tests.webapp.builders import route, settings
from webapp.local import prices
from webapp.local.cost import Line, added, bill, free, total
from webapp.local.prices import Price
from webapp.local.usage import Load, Need, needs
from webapp.settings import Policy, Settings
from webapp.settings.read import load
from webapp.settings.stack import CustomDomain, Stack, Vpc

MONTH = Load(1_000_000, 100)
PLAIN = Stack(environment="dev", dashboard=False)
ZONED = CustomDomain("api.example.com", zone_id="Z1")
EDGE = {("CloudFront", name) for name in ("HTTPS requests", "function", "answers")} | {
    ("WAF", name) for name in ("web ACL", "rules", "requests")
}


def stack(**fields: Any) -> Stack:
    return Stack(environment="dev", **{"dashboard": False} | fields)


def lines(of: Stack = PLAIN, gateway: Settings | None = None, load: Load = MONTH) -> list[Line]:
    return bill(gateway or settings(), of, load)


def names(of: Stack) -> set[tuple[str, str]]:
    """Service and name of each line, without the figures in it."""
    return {(line.service, line.what.partition(",")[0]) for line in lines(of)}


def quantity(price: Price, found: list[Line]) -> float:
    return sum(line.quantity for line in found if line.price == price)


def policy(name: str, *kinds: str, **fields: Any) -> Policy:
    key = kinds[0] if len(kinds) == 1 else kinds
    return Policy(name=name, key=key, limit=100, window=60, **fields)  # type: ignore[arg-type]


def test_the_dev_stack_answers_a_million_requests_for_a_few_dollars() -> None:
    dev = load("dev")
    assert 3 < total(bill(dev.settings, dev.stack, MONTH)) <= 11


@pytest.mark.parametrize(
    ("option", "more"),
    [
        ({"dashboard": True}, {("CloudWatch", "dashboard")}),
        ({"alarms": True}, {("CloudWatch", "alarms")}),
        (
            {"alarms": True, "alarm_email": "a@example.com"},
            {("CloudWatch", "alarms"), ("SNS", "mails")},
        ),
        (
            {"alarms": True, "alarm_email": "a@example.com", "alarm_topic_arn": "arn:aws:sns:"},
            {("CloudWatch", "alarms")},
        ),
        ({"tracing": True}, {("X-Ray", "traces recorded")}),
        ({"point_in_time_recovery": True}, {("DynamoDB", "point-in-time recovery")}),
        ({"monthly_budget_usd": 10}, {("Budgets", "budget")}),
        ({"kms_key_arn": "arn:aws:kms:"}, {("KMS", "key"), ("KMS", "requests")}),
        ({"custom_domain": ZONED}, {("Route 53", "hosted zone")}),
        ({"custom_domain": CustomDomain("api.example.com", certificate_arn="arn:")}, set()),
        ({"provisioned_concurrency": 2}, {("Lambda", "2 kept warm")}),
        ({"snap_start": True}, {("Lambda", "snapshot kept"), ("Lambda", "snapshot restored")}),
        ({"edge": True}, EDGE),
        ({"reserved_concurrency": 5, "protect": True}, set()),
    ],
)
def test_an_option_adds_its_lines(option: dict[str, Any], more: set[tuple[str, str]]) -> None:
    replaced = {("Lambda", "cold starts"), ("Data transfer", "answers")}
    assert names(stack(**option)) - names(PLAIN) == more
    assert names(PLAIN) - names(stack(**option)) <= replaced


def test_what_stays_in_a_vpc_is_not_transferred_out() -> None:
    inside = stack(vpc=Vpc(subnet_ids=("subnet-1",), security_group_ids=("sg-1",)))
    assert names(PLAIN) - names(inside) == {("Data transfer", "to upstreams")}


def test_alarms_need_a_metric_of_their_own() -> None:
    assert quantity(prices.METRICS, lines(stack(alarms=True))) == 13
    assert quantity(prices.METRICS, lines()) == 12


def test_metrics_by_route_are_paid_for_each_route() -> None:
    gateway = settings(routes=(route(), route(id="b", path="/b")), metrics_by_route=True)
    assert quantity(prices.METRICS, lines(gateway=gateway)) == 12 + 2 * 3
    assert quantity(prices.LOGS_INGESTED, lines(gateway=gateway)) > quantity(
        prices.LOGS_INGESTED, lines()
    )


def test_more_policies_cost_more() -> None:
    policies = (policy("a", "ip"), policy("b", "user"), policy("c", "global"))
    sums = [total(lines(gateway=settings(rate_limits=policies[:n]))) for n in range(4)]
    assert sums == sorted(set(sums))


def test_a_policy_costs_what_the_bill_grows_by() -> None:
    gateway = settings(rate_limits=(policy("a", "ip"),))
    [need, *_] = needs(gateway)
    grown = total(lines(gateway=gateway)) - total(lines())
    storage = quantity(prices.TABLE_STORAGE, lines(gateway=gateway)) * prices.TABLE_STORAGE.dollars
    assert added(need, PLAIN) == pytest.approx(grown, abs=storage)
    assert added(need, PLAIN) > prices.TABLE_WRITES.dollars


def test_units_of_the_table_are_paid_by_kind() -> None:
    assert added(Need("none"), PLAIN) == 0
    assert added(Need("reads", reads=1), PLAIN) == prices.TABLE_READS.dollars
    assert added(Need("writes", writes=1), PLAIN) == prices.TABLE_WRITES.dollars


def test_time_is_paid_by_memory_architecture_and_upstream() -> None:
    def duration(of: Stack, load: Load = MONTH) -> float:
        found = [line for line in lines(of, load=load) if " MB " in line.what]
        assert len(found) == 1
        return found[0].dollars

    usual = duration(PLAIN)
    assert duration(stack(architecture="x86_64")) == pytest.approx(usual * 1.25, rel=0.001)
    assert usual < duration(stack(memory_size=1024)) < 2 * usual
    assert duration(stack(provisioned_concurrency=1)) < usual
    longer = MONTH._replace(upstream_ms=200)
    hundred = MONTH.requests * 0.1 * 512 / 1024 / 1e6 * prices.DURATION["arm64"].dollars
    assert duration(PLAIN, longer) - usual == pytest.approx(hundred)


def test_logs_cost_by_how_long_they_are_kept() -> None:
    kept = [quantity(prices.LOGS_STORED, lines(stack(log_retention_days=d))) for d in (7, 14)]
    assert kept[1] == pytest.approx(2 * kept[0])


def test_nothing_but_what_stands_there_costs_without_requests() -> None:
    few = lines(load=Load(1, 100))
    standing = prices.SECRETS.dollars + 12 * prices.METRICS.dollars
    assert total(few) == pytest.approx(standing, abs=0.001)


def test_at_most_one_trace_a_second_and_a_twentieth_more_is_recorded() -> None:
    traced = [lines(stack(tracing=True), load=Load(n, 1)) for n in (1000, 2_628_000 * 2)]
    assert quantity(prices.TRACES, traced[0]) == 1000
    assert quantity(prices.TRACES, traced[1]) == pytest.approx(2_628_000 * 1.05)


def test_what_is_free_is_free_once() -> None:
    price = Price("S", "things", 2.0, free=5)
    assert free([Line(price, 3)]) == 3 * 2
    assert free([Line(price, 3), Line(price, 4)]) == 5 * 2
    assert free([Line(price, 3), Line(price._replace(name="others"), 4)]) == 7 * 2
    assert free([Line(price._replace(free=0), 3)]) == 0


def test_a_function_that_is_kept_warm_has_nothing_free() -> None:
    warm = [line for line in lines(stack(provisioned_concurrency=1)) if line.service == "Lambda"]
    assert free(warm) == 0
    assert free([line for line in lines() if line.service == "Lambda"]) > 0


def test_every_service_names_the_page_of_its_prices() -> None:
    everything = stack(
        alarms=True, alarm_email="a@example.com", tracing=True, monthly_budget_usd=10,
        kms_key_arn="arn:", custom_domain=ZONED, edge=True,
    )  # fmt: skip
    assert {line.service for line in lines(everything)} == prices.PAGES.keys()
