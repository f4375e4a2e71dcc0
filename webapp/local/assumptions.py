"""What a bill takes for granted: figures that were measured, guesses that are told."""

from collections.abc import Iterator

from webapp.local import prices
from webapp.settings.stack import Stack

HOURS = 730
SECONDS = HOURS * 3600
GB = 2**30
MILLION = 1_000_000

# Of one full core, by `python -m bench.processing`; Lambda gives one to 1,769 MB.
REQUEST_CPU_MS = 0.9
CALL_CPU_MS = 2.4
FULL_CORE_MB = 1769

# Up to the first answer, by `make bench`; of one full core as well.
COLD_START_MS = 300
COLD_STARTS = 0.005

CALL_WAIT_MS = 5

# Some writes have to be tried again: docs/limits.md measures 1.00 to 1.10 for one.
TRIES = 1.05

REQUESTS_A_SESSION = 100
SECONDS_BETWEEN = 6
USE_NOTED_EVERY = 60
SESSION_BYTES = 600
COUNTER_BYTES = 250

# Bytes of a line; tests compare them with lines that were written, or with the stack's format.
REQUEST_LINE = 1_390
ROUTE_IN_LINE = 220
ACCESS_LINE = 460
COMPRESSED = 0.15
EVENT_OVERHEAD = 26

ANSWER_BYTES = 2_048
FORWARDED_BYTES = 1_024

# What the stack makes; tests count it there.
LATENCIES = 2
ALARMS = 17
FIREWALL_RULES = 4

MAILS = 100


def told(stack: Stack) -> Iterator[str]:
    """The sentences that stand below a bill."""
    yield (
        f"List prices of {prices.REGION}, checked on {prices.CHECKED}, without discounts for large"
        " volumes. Free is only what stays free for ever."
    )
    yield (
        "Requests are admitted, proxied, and spread evenly over all routes but sign-in and"
        " sign-out; callers are signed in wherever a route looks at sessions."
    )
    yield (
        f"A session makes {REQUESTS_A_SESSION} requests, {SECONDS_BETWEEN} s apart, to one"
        f" container. Nothing is leased. A decision takes {TRIES} writes: failed conditional"
        " writes are billed, too."
    )
    yield (
        f"A request computes {REQUEST_CPU_MS} ms, and {CALL_CPU_MS} ms for each call to a table,"
        f" on a full core ({FULL_CORE_MB:,} MB); a call is waited for {CALL_WAIT_MS} ms."
        f" {COLD_STARTS:.1%} are cold starts, which compute {COLD_START_MS} ms."
    )
    yield (
        f"Answers have {ANSWER_BYTES:,} bytes, requests to upstreams {FORWARDED_BYTES:,}, heads"
        " included. Lambda writes no lines of its own about requests that succeed."
    )
    yield from _of_options(stack)


def _of_options(stack: Stack) -> Iterator[str]:
    if stack.vpc:
        yield "vpc: NAT gateways and endpoints of the VPC are outside this bill."
    if stack.metrics_by_route:
        yield "metricsByRoute: every endpoint of the gateway that is called adds 3 metrics."
    if stack.snap_start:
        yield "snapStart: every published version that is not deleted costs a snapshot."
    if stack.provisioned_concurrency:
        yield "provisionedConcurrency: all requests meet a container that is kept warm."
    if stack.kms_key_arn or (stack.custom_domain and stack.custom_domain.zone_id):
        yield "The KMS key and the hosted zone are counted whole, whatever else uses them."
