"""The month's bill of a stack: a line for everything that costs, at list prices."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from webapp.local import assumptions as assumed
from webapp.local import prices, usage
from webapp.local.assumptions import GB, MILLION, SECONDS
from webapp.local.prices import Price
from webapp.local.usage import Load, Need
from webapp.settings import Settings
from webapp.settings.stack import Stack


class Line(NamedTuple):
    price: Price
    quantity: float
    note: str = ""

    @property
    def service(self) -> str:
        return self.price.service

    @property
    def what(self) -> str:
        return self.note or self.price.name

    @property
    def dollars(self) -> float:
        return self.quantity / self.price.per * self.price.dollars


def bill(settings: Settings, stack: Stack, load: Load) -> list[Line]:
    """All lines, service by service."""
    parts = (_lambda, _containers, _api, _dynamodb, _secrets, _cloudwatch, _options, _edge, _data)
    return [line for part in parts for line in part(settings, stack, load)]


def total(lines: Iterable[Line]) -> float:
    return sum(line.dollars for line in lines)


def free(lines: Iterable[Line]) -> float:
    """What the free tiers take off; lines of one price share what is free of it."""
    used: dict[Price, float] = defaultdict(float)
    for line in lines:
        used[line.price] += line.quantity
    return sum(Line(price, min(quantity, price.free)).dollars for price, quantity in used.items())


def added(need: Need, stack: Stack) -> float:
    """Dollars a million requests, for the table and for the time that it takes."""
    gb_seconds = usage.store_ms(need.calls, stack) * MILLION / 1000 * stack.memory_size / 1024
    return total(
        (
            Line(prices.TABLE_WRITES, need.writes * MILLION),
            Line(prices.TABLE_READS, need.reads * MILLION),
            Line(_duration(stack), gb_seconds),
        )
    )


def _duration(stack: Stack) -> Price:
    warm = stack.provisioned_concurrency
    return (prices.WARM_DURATION if warm else prices.DURATION)[stack.architecture]


def _lambda(settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    milliseconds = usage.billed_ms(settings, stack, load)
    # Nothing is free for a function that is kept warm.
    price = prices.LAMBDA_REQUESTS
    yield Line(price._replace(free=0) if stack.provisioned_concurrency else price, load.requests)
    yield Line(
        _duration(stack),
        load.requests * milliseconds / 1000 * stack.memory_size / 1024,
        f"{milliseconds:.0f} ms, {stack.memory_size} MB {stack.architecture}",
    )


def _containers(_settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    """What it takes to have one, however it comes about."""
    memory, starts = stack.memory_size / 1024, usage.cold_starts(stack, load)
    if count := stack.provisioned_concurrency:
        price = prices.KEPT_WARM[stack.architecture]
        yield Line(price, count * SECONDS * memory, f"{count} kept warm, all month")
    elif stack.snap_start:
        yield Line(prices.SNAPSHOT_CACHE, SECONDS * memory)
        yield Line(prices.SNAPSHOT_RESTORE, starts * memory)
    else:
        starting = assumed.COLD_START_MS / 1000 / usage.share(stack)
        yield Line(_duration(stack), starts * starting * memory, "cold starts")


def _api(_settings: Settings, _stack: Stack, load: Load) -> Iterator[Line]:
    yield Line(prices.HTTP_REQUESTS, load.requests)


def _dynamodb(settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    needs = usage.needs(settings)
    sessions = usage.sessions_gb(settings, load)
    yield Line(prices.TABLE_WRITES, load.requests * sum(need.writes for need in needs))
    yield Line(prices.TABLE_READS, load.requests * sum(need.reads for need in needs))
    yield Line(prices.TABLE_STORAGE, sessions + usage.counters_gb(settings, load))
    if stack.point_in_time_recovery:
        yield Line(prices.TABLE_RECOVERY, sessions)


def _secrets(_settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    yield Line(prices.SECRETS, 1)
    yield Line(prices.SECRET_CALLS, usage.cold_starts(stack, load))


def _cloudwatch(settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    size = usage.request_line(settings)
    written = load.requests * size / GB
    accesses = load.requests * assumed.ACCESS_LINE / GB
    yield Line(prices.LOGS_INGESTED, written, f"request log, {size:,} B a line")
    yield Line(prices.LOGS_INGESTED, accesses, f"access log, {assumed.ACCESS_LINE} B a line")
    yield Line(
        prices.LOGS_STORED,
        usage.stored_gb(written + accesses, 2 * load.requests, stack),
        f"logs kept {stack.log_retention_days} days",
    )
    yield Line(prices.METRICS, usage.custom_metrics(settings, stack))
    if stack.alarms:
        yield Line(prices.ALARMS, assumed.ALARMS)
    if stack.dashboard:
        yield Line(prices.DASHBOARDS, 1)


def _options(_settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    if stack.tracing:
        yield Line(prices.TRACES, usage.traces(load))
    if stack.alarms and stack.alarm_email and not stack.alarm_topic_arn:
        yield Line(prices.MAILS, assumed.MAILS)
    if stack.monthly_budget_usd:
        yield Line(prices.BUDGETS, 1)
    if stack.kms_key_arn:
        yield Line(prices.KEYS, 1)
        yield Line(prices.KEY_REQUESTS, usage.key_requests(stack, load))
    if stack.custom_domain and stack.custom_domain.zone_id:
        yield Line(prices.ZONES, 1)


def _edge(_settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    if not stack.edge:
        return
    yield Line(prices.EDGE_REQUESTS, load.requests)
    yield Line(prices.EDGE_FUNCTION, load.requests)
    yield Line(prices.FIREWALL, 1)
    yield Line(prices.FIREWALL_RULES, assumed.FIREWALL_RULES)
    yield Line(prices.FIREWALL_REQUESTS, load.requests)


def _data(_settings: Settings, stack: Stack, load: Load) -> Iterator[Line]:
    """What the API hands to CloudFront is free; what CloudFront hands out is not."""
    answers = load.requests * assumed.ANSWER_BYTES / GB
    price = prices.EDGE_OUT if stack.edge else prices.DATA_OUT
    yield Line(price, answers, f"answers, {assumed.ANSWER_BYTES:,} B each")
    if not stack.vpc:
        forwarded = load.requests * assumed.FORWARDED_BYTES / GB
        yield Line(prices.DATA_OUT, forwarded, f"to upstreams, {assumed.FORWARDED_BYTES:,} B each")
