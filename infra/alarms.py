"""The alarms: what wakes somebody, from which metric, at which threshold, and why there."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.api import Api
from infra.function import Function
from infra.settings import Deployment
from infra.storage import Storage
from webapp.settings import Settings
from webapp.settings.stack import Stack

Dimensions = Mapping[str, pulumi.Input[str]]


class Alarm(NamedTuple):
    """Rings when `statistic` of a metric is over `threshold` in `periods` periods of 60 s in a row.

    `reason` says why the threshold is where it is. Without data nothing happens that could be
    wrong: a gateway that nobody calls is not broken.
    """

    name: str
    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    threshold: float
    periods: int
    reason: str

    @property
    def description(self) -> str:
        """What whoever is woken reads first."""
        return f"{self.reason} What to do: docs/operating.md, {self.name}."

    @property
    def is_percentile(self) -> bool:
        return self.statistic.startswith("p")


class Alarms(pulumi.ComponentResource):
    """They ring at `alarmTopicArn`, or at a topic of their own that mails `alarmEmail`."""

    def __init__(
        self,
        deployment: Deployment,
        storage: Storage,
        function: Function,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Alarms", deployment.name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.topic_arn = self._topic(deployment)
        self._count_throttled_requests(deployment, api)
        for alarm in alarms(deployment, storage, function, api):
            aws.cloudwatch.MetricAlarm(
                f"{deployment.name}-{alarm.name}",
                name=f"{deployment.name}-{alarm.name}",
                alarm_description=alarm.description,
                namespace=alarm.namespace,
                metric_name=alarm.metric,
                dimensions=dict(alarm.dimensions),
                statistic=None if alarm.is_percentile else alarm.statistic,
                extended_statistic=alarm.statistic if alarm.is_percentile else None,
                period=60,
                evaluation_periods=alarm.periods,
                comparison_operator="GreaterThanThreshold",
                threshold=alarm.threshold,
                treat_missing_data="notBreaching",
                alarm_actions=[self.topic_arn],
                ok_actions=[self.topic_arn],
                opts=self._child,
            )
        self.register_outputs({})

    def _topic(self, deployment: Deployment) -> pulumi.Output[str]:
        stack = deployment.stack
        if stack.alarm_topic_arn:
            return pulumi.Output.from_input(stack.alarm_topic_arn)
        topic = aws.sns.Topic(f"{deployment.name}-alarms", opts=self._child)
        if stack.alarm_email:
            aws.sns.TopicSubscription(
                f"{deployment.name}-alarms",
                topic=topic.arn,
                protocol="email",
                endpoint=stack.alarm_email,
                opts=self._child,
            )
        return topic.arn

    def _count_throttled_requests(self, deployment: Deployment, api: Api) -> None:
        """HTTP APIs have no metric for it: a 429 that never reached the function is one."""
        aws.cloudwatch.LogMetricFilter(
            f"{deployment.name}-throttled",
            log_group_name=api.access_logs.name,
            pattern='{ $.status = "429" && $.integrationStatus = "-" }',
            metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                namespace="Tollgate",
                name=f"Throttled-{deployment.stack.environment}",
                value="1",
                unit="Count",
            ),
            opts=self._child,
        )


def alarms(
    deployment: Deployment, storage: Storage, function: Function, api: Api
) -> Sequence[Alarm]:
    """All alarms of a stack."""
    stack = deployment.stack
    return [
        *_of_the_function(deployment, {"FunctionName": function.function.name}),
        *_of_the_api(stack, {"ApiId": api.api.id, "Stage": api.stage.name}),
        *_of_a_table("sessions", {"TableName": storage.sessions.name}),
        *_of_a_table("rate-limits", {"TableName": storage.rate_limits.name}),
        *_of_the_gateway(stack),
    ]


def _of_the_function(deployment: Deployment, of: Dimensions) -> Sequence[Alarm]:
    stack = deployment.stack
    # No request waits for longer than its route lets an upstream take.
    near_timeout = min(stack.timeout, _longest_exchange(deployment.settings)) * 1000 * 0.9
    # 1,000 is what an account has that asked for no more.
    concurrency = (stack.reserved_concurrency or 1000) * 0.8
    return [
        Alarm("function-errors", "AWS/Lambda", "Errors", of, "Sum", 0, 1,
              "The gateway answers its own failures: an error is a crash or a timeout."),
        Alarm("function-throttles", "AWS/Lambda", "Throttles", of, "Sum", 0, 2,
              "Requests found no container: reserved concurrency or the account's is used up."),
        Alarm("function-duration", "AWS/Lambda", "Duration", of, "p99", near_timeout, 3,
              "One request in a hundred takes nine tenths of the longest timeout."),
        Alarm("function-concurrency", "AWS/Lambda", "ConcurrentExecutions", of, "Maximum",
              concurrency, 3, "Four fifths of the containers that can be had are busy."),
    ]  # fmt: skip


def _longest_exchange(settings: Settings) -> float:
    taken = [r.timeout or settings.upstreams[r.upstream].timeout for r in settings.routes]
    return max(taken, default=1)


def _of_the_api(stack: Stack, of: Dimensions) -> Sequence[Alarm]:
    failures = max(5, stack.throttling_rate_limit * 60 * 0.01)
    return [
        Alarm("api-5xx", "AWS/ApiGateway", "5xx", of, "Sum", failures, 3,
              "A hundredth of what the stage lets through fails, three minutes long."),
        Alarm("api-latency", "AWS/ApiGateway", "Latency", of, "p95", 5000, 5,
              "Five seconds for one caller in twenty, five minutes long."),
    ]  # fmt: skip


def _of_a_table(name: str, of: Dimensions) -> Sequence[Alarm]:
    return [
        Alarm(f"{name}-read-throttles", "AWS/DynamoDB", "ReadThrottleEvents", of, "Sum", 0, 2,
              "On-demand tables throttle when traffic doubles at once, or on one hot item."),
        Alarm(f"{name}-write-throttles", "AWS/DynamoDB", "WriteThrottleEvents", of, "Sum", 0, 2,
              "On-demand tables throttle when traffic doubles at once, or on one hot item."),
    ]  # fmt: skip


def _of_the_gateway(stack: Stack) -> Sequence[Alarm]:
    """Averages are shares of all requests, for each counts as 0 or 1: few make as sure as many."""
    of = {"Environment": stack.environment}
    return [
        Alarm("server-errors", "Tollgate", "ServerErrors", of, "Average", 0.05, 3,
              "One request in twenty fails, however few a minute there are."),
        Alarm("limit-refusals", "Tollgate", "Refusals", of, "Average", 0.2, 5,
              "One request in five is refused by a limit: it is too low, or this is a flood."),
        Alarm("authentication-failures", "Tollgate", "AuthenticationFailures", of, "Average",
              0.5, 5, "Half of all requests are 401: a lost key signs everybody out."),
        Alarm("forbidden", "Tollgate", "Forbidden", of, "Average", 0.5, 5,
              "Half of all requests are 403: the edge's proof or a list shuts everybody out."),
        Alarm("store-errors", "Tollgate", "StoreErrors", of, "Average", 0.01, 2,
              "Sessions, limits or the key could not be asked: requests fail or pass uncounted."),
        Alarm("upstream-errors", "Tollgate", "UpstreamErrors", of, "Average", 0.01, 3,
              "Services behind the gateway cannot be reached, or answer badly or late."),
        Alarm("api-throttled", "Tollgate", f"Throttled-{stack.environment}", {}, "Sum", 0, 2,
              "The stage's throttle is one bucket for all callers: everybody is refused."),
    ]  # fmt: skip
