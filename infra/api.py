"""The HTTP API: one default route to the function, CORS, throttles, access logs."""

import json

import pulumi
import pulumi_aws as aws

from infra.function import Function
from infra.settings import Deployment
from webapp.settings import Cors

# The longest that an HTTP API waits; the function itself stops a second before.
_INTEGRATION_TIMEOUT_MS = 30_000

_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "protocol": "$context.protocol",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "latency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationStatus": "$context.integration.integrationStatus",
    "integrationError": "$context.integrationErrorMessage",
    "error": "$context.error.message",
    "sourceIp": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
}


class Api(pulumi.ComponentResource):
    """All requests go to one route, `$default`: the gateway itself decides what a path means."""

    def __init__(
        self,
        deployment: Deployment,
        function: Function,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Api", deployment.name, None, opts)
        name, stack = deployment.name, deployment.stack
        child = pulumi.ResourceOptions(parent=self)
        self.api = aws.apigatewayv2.Api(
            name,
            name=name,
            protocol_type="HTTP",
            cors_configuration=_cors(deployment.settings.cors),
            disable_execute_api_endpoint=stack.disable_default_endpoint,
            opts=child,
        )
        integration = aws.apigatewayv2.Integration(
            name,
            api_id=self.api.id,
            integration_type="AWS_PROXY",
            integration_uri=function.alias.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=_INTEGRATION_TIMEOUT_MS,
            opts=child,
        )
        aws.apigatewayv2.Route(
            name,
            api_id=self.api.id,
            route_key="$default",
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=child,
        )
        # API Gateway writes there by a resource policy of its own, which has room for few names
        # unless they begin with /aws/vendedlogs/.
        self.access_logs = aws.cloudwatch.LogGroup(
            f"{name}-access",
            name=f"/aws/vendedlogs/{name}-access",
            retention_in_days=stack.log_retention_days,
            kms_key_id=stack.kms_key_arn or None,
            opts=child,
        )
        self.stage = aws.apigatewayv2.Stage(
            name,
            name="$default",
            api_id=self.api.id,
            auto_deploy=True,
            # One without the other would be 0, and every request a 429.
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=stack.throttling_rate_limit,
                throttling_burst_limit=stack.throttling_burst_limit,
            ),
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=self.access_logs.arn, format=json.dumps(_ACCESS_LOG)
            ),
            opts=child,
        )
        aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            function=function.function.name,
            qualifier=function.alias.name,
            source_arn=pulumi.Output.concat(self.api.execution_arn, "/*/*"),
            opts=child,
        )
        self.register_outputs({})


def _cors(cors: Cors) -> aws.apigatewayv2.ApiCorsConfigurationArgs | None:
    if not cors.allow_origins:
        return None
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=list(cors.allow_origins),
        allow_methods=list(cors.allow_methods),
        allow_headers=list(cors.allow_headers),
        expose_headers=list(cors.exposed_headers),
        allow_credentials=cors.allow_credentials,
        max_age=cors.max_age,
    )
