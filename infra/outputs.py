"""The stack's outputs: what scripts and people look up after `pulumi up`; none is a secret."""

import msgspec
import pulumi
import pulumi_aws as aws

from infra.alarms import Alarms
from infra.api import Api
from infra.dashboard import Dashboard
from infra.domain import Domain
from infra.edge import Edge
from infra.function import Function
from infra.settings import Deployment
from infra.storage import Storage


def export(
    deployment: Deployment,
    storage: Storage,
    function: Function,
    api: Api,
    front: Edge | Domain | None,
    alarms: Alarms | None,
    dashboard: Dashboard | None,
) -> None:
    """Export them; those of what is switched off stay out."""
    url = front.url if front else api.api.api_endpoint
    outputs: dict[str, pulumi.Input[object]] = {
        "api_url": url,
        "api_id": api.api.id,
        "function_name": function.function.name,
        "function_arn": function.function.arn,
        "function_alias_arn": function.alias.arn,
        "function_role_arn": function.role.arn,
        "sessions_table_name": storage.sessions.name,
        "rate_limits_table_name": storage.rate_limits.name,
        "signing_secret_arn": storage.secret.arn,
        "log_group_name": function.log_group.name,
        "access_log_group_name": api.access_logs.name,
        "settings": _settings(deployment),
        "deployment_summary": {
            "name": deployment.name,
            "environment": deployment.stack.environment,
            "region": aws.get_region_output().region,
            "url": url,
        },
    }
    if front and deployment.stack.custom_domain:
        outputs["custom_domain_url"] = front.url
        outputs["custom_domain_target"] = front.target
        outputs["certificate_arn"] = front.certificate_arn
    if alarms:
        outputs["alarm_topic_arn"] = alarms.topic_arn
    if dashboard:
        outputs["dashboard_url"] = dashboard.url
    for name, value in outputs.items():
        pulumi.export(name, value)


def _settings(deployment: Deployment) -> dict[str, object]:
    """The checked configuration with its defaults, so that a preview shows each field's change."""
    by_id = {route.id: msgspec.to_builtins(route) for route in deployment.settings.routes}
    by_name = {limit.name: msgspec.to_builtins(limit) for limit in deployment.settings.rate_limits}
    gateway: dict[str, object] = msgspec.to_builtins(deployment.settings)
    stack: dict[str, object] = msgspec.to_builtins(deployment.stack)
    # By name, not by place: a route put in between would show every later one as changed.
    return {"gateway": gateway | {"routes": by_id, "rateLimits": by_name}, "stack": stack}
