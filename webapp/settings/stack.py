"""What the stack looks like in the account: bounded as AWS bounds it. Not part of the package."""

from typing import Annotated, Literal

from msgspec import Meta

from webapp.settings.gateway import Entry

Runtime = Literal["python3.11", "python3.12", "python3.13", "python3.14"]
Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
]  # fmt: skip


Timeout = Annotated[
    int,
    Meta(
        ge=1,
        le=29,
        description="a whole number of at least 1 and at most 29 (an HTTP API waits no longer)",
    ),
]


class CustomDomain(Entry, frozen=True):
    name: str
    zone_id: str = ""
    certificate_arn: str = ""


class Vpc(Entry, frozen=True):
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]


class Stack(Entry, frozen=True):
    """None and "" mean unset."""

    environment: str = ""
    memory_size: Annotated[int, Meta(ge=128, le=10_240)] = 512
    timeout: Timeout = 29
    architecture: Literal["arm64", "x86_64"] = "arm64"
    runtime: Runtime = "python3.13"
    bytecode: bool = True
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_retention_days: Retention = 7
    throttling_rate_limit: Annotated[int, Meta(ge=1)] = 50
    throttling_burst_limit: Annotated[int, Meta(ge=1)] = 100
    reserved_concurrency: Annotated[int, Meta(ge=1)] | None = None
    provisioned_concurrency: Annotated[int, Meta(ge=1)] | None = None
    snap_start: bool = False
    pin_version: Annotated[int, Meta(ge=1)] | None = None
    point_in_time_recovery: bool = False
    protect: bool = False
    alarms: bool = False
    alarm_email: str = ""
    alarm_topic_arn: str = ""
    dashboard: bool = True
    metrics_by_route: bool = False
    monthly_budget_usd: Annotated[float, Meta(gt=0)] | None = None
    budget_email: str = ""
    budget_tag: str = ""
    custom_domain: CustomDomain | None = None
    disable_default_endpoint: bool = False
    edge: bool = False
    tracing: bool = False
    vpc: Vpc | None = None
    permissions_boundary_arn: str = ""
    kms_key_arn: str = ""
    environment_variables: dict[str, str] = {}  # noqa: RUF012 (msgspec copies it)
