"""The log queries of an incident, saved in CloudWatch Logs Insights beside the dashboard."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import pulumi
import pulumi_aws as aws

from infra.api import Api
from infra.function import Function
from infra.settings import Deployment

Log = Literal["function", "access"]


class Query(NamedTuple):
    """One query in Insights' own language; `logs` are the groups that it asks."""

    name: str
    text: str
    logs: Sequence[Log] = ("function",)

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").capitalize()


# A list in a line has one field per place: only an unnested one counts each of several policies.
REFUSALS_BY_POLICY = Query(
    "refusals-by-policy",
    """filter decision = "rate_limited"
| fields jsonParse(@message) as line
| unnest line.policy into refused_by
| stats count(*) as refused, count_distinct(client_ip) as addresses by refused_by
| sort refused desc""",
)

SLOWEST_ROUTES = Query(
    "slowest-routes",
    """filter ispresent(route)
| stats count(*) as requests, sum(ServerErrors) as failed, pct(latency_ms, 50) as p50,
    pct(latency_ms, 95) as p95, pct(latency_ms, 99) as p99 by route
| sort p99 desc""",
)

FAILURES_BY_UPSTREAM = Query(
    "failures-by-upstream",
    """filter UpstreamErrors = 1 or upstream_status >= 500
| stats count(*) as failed, pct(upstream_ms, 99) as p99
    by upstream, decision, upstream_status, circuit
| sort failed desc""",
)

LATEST_FAILURES = Query(
    "latest-failures",
    """filter status >= 500
| fields @timestamp, request_id, method, path, status, decision, upstream, upstream_status
| sort @timestamp desc
| limit 50""",
)

BUSIEST_CALLERS = Query(
    "busiest-callers",
    """filter ispresent(client_ip)
| stats count(*) as requests, sum(Refusals) as refused, sum(AuthenticationFailures) as unknown
    by client_ip, user_id
| sort requests desc
| limit 20""",
)

REFUSED_BY_THE_PLATFORM = Query(
    "refused-by-the-platform",
    """filter integrationStatus = "-" and status >= 400
| stats count(*) as refused, count_distinct(sourceIp) as addresses by status, error
| sort refused desc""",
    ("access",),
)

QUERIES = (
    REFUSALS_BY_POLICY,
    SLOWEST_ROUTES,
    FAILURES_BY_UPSTREAM,
    LATEST_FAILURES,
    BUSIEST_CALLERS,
    REFUSED_BY_THE_PLATFORM,
    Query(
        "one-request",
        """fields @timestamp, @log, @message
| filter @message like "PUT-THE-REQUEST-ID-HERE"
| sort @timestamp""",
        ("function", "access"),
    ),
    Query(
        "sign-ins-refused",
        """filter policy.0 in ["sign-in-guard", "forged-tokens"]
| stats count(*) as refused by client_ip, policy.0
| sort refused desc""",
    ),
    Query(
        "shadow-policies",
        """filter ispresent(shadow.0)
| fields jsonParse(@message) as line
| unnest line.shadow into would_refuse
| stats count(*) as requests, count_distinct(client_ip) as addresses by would_refuse
| sort requests desc""",
    ),
    Query(
        "cold-starts",
        """filter ColdStarts = 1
| stats count(*) as starts, pct(latency_ms, 50) as p50, max(latency_ms) as slowest
    by function_version, bin(1h)""",
    ),
    Query(
        "cost-by-route",
        """filter ispresent(route)
| stats count(*) as requests, sum(dynamodb_reads) as reads, sum(dynamodb_writes) as writes,
    sum(latency_ms) as milliseconds by route
| sort milliseconds desc""",
    ),
    Query(
        "all-but-requests",
        """filter not ispresent(request_id)
| fields @timestamp, @message
| sort @timestamp desc
| limit 50""",
    ),
)


class Queries(pulumi.ComponentResource):
    """Insights shows those of a stack in a folder; they cost nothing until somebody runs one."""

    def __init__(
        self,
        deployment: Deployment,
        function: Function,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Queries", deployment.name, None, opts)
        groups = log_groups(function, api)
        for query in QUERIES:
            aws.cloudwatch.QueryDefinition(
                f"{deployment.name}-{query.name}",
                name=f"{deployment.name}/{query.name}",
                query_string=query.text,
                log_group_names=[groups[log] for log in query.logs],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def log_groups(function: Function, api: Api) -> Mapping[Log, pulumi.Output[str]]:
    """The names of the log groups that queries ask."""
    return {"function": function.log_group.name, "access": api.access_logs.name}
