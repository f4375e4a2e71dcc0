"""The function: its role, its log group, its versions and the alias that the API calls."""

import pulumi
import pulumi_aws as aws

from infra.archive import Package
from infra.settings import Deployment
from infra.storage import Storage

ALIAS = "live"

_ASSUMED_BY_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Function(pulumi.ComponentResource):
    """`alias` is what is called: it stands on the newest version, or on `pinVersion`."""

    def __init__(
        self,
        deployment: Deployment,
        storage: Storage,
        package: Package,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Function", deployment.name, None, opts)
        self._deployment = deployment
        self._child = pulumi.ResourceOptions(parent=self)
        stack = deployment.stack
        self.log_group = aws.cloudwatch.LogGroup(
            f"{deployment.name}-function",
            name=f"/aws/lambda/{deployment.name}",
            retention_in_days=stack.log_retention_days,
            kms_key_id=stack.kms_key_arn or None,
            opts=self._child,
        )
        self.role = aws.iam.Role(
            f"{deployment.name}-function",
            assume_role_policy=pulumi.Output.json_dumps(_ASSUMED_BY_LAMBDA),
            permissions_boundary=stack.permissions_boundary_arn or None,
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{deployment.name}-function",
            role=self.role.id,
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": self._statements(storage)}
            ),
            opts=self._child,
        )
        self.function = self._function(storage, package, policy)
        self.alias = aws.lambda_.Alias(
            f"{deployment.name}-live",
            name=ALIAS,
            function_name=self.function.name,
            function_version=str(stack.pin_version) if stack.pin_version else self.function.version,
            opts=self._child,
        )
        if stack.provisioned_concurrency:
            aws.lambda_.ProvisionedConcurrencyConfig(
                f"{deployment.name}-live",
                function_name=self.function.name,
                qualifier=self.alias.name,
                provisioned_concurrent_executions=stack.provisioned_concurrency,
                opts=self._child,
            )
        self.register_outputs({})

    def _function(
        self, storage: Storage, package: Package, policy: aws.iam.RolePolicy
    ) -> aws.lambda_.Function:
        stack = self._deployment.stack
        return aws.lambda_.Function(
            self._deployment.name,
            name=self._deployment.name,
            description="Tollgate: sessions, limits and routes in front of HTTP services",
            runtime=stack.runtime,
            architectures=[stack.architecture],
            handler="webapp.handler.handler",
            code=pulumi.FileArchive(str(package.path)),
            role=self.role.arn,
            memory_size=stack.memory_size,
            timeout=stack.timeout,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=self._variables(storage)),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                # Request lines are metrics: a higher level would silence alarms.
                application_log_level="DEBUG" if stack.log_level == "DEBUG" else "INFO",
                system_log_level="WARN",
                log_group=self.log_group.name,
            ),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(
                mode="Active" if stack.tracing else "PassThrough"
            ),
            snap_start=aws.lambda_.FunctionSnapStartArgs(apply_on="PublishedVersions")
            if stack.snap_start
            else None,
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=list(stack.vpc.subnet_ids),
                security_group_ids=list(stack.vpc.security_group_ids),
            )
            if stack.vpc
            else None,
            reserved_concurrent_executions=stack.reserved_concurrency,
            kms_key_arn=stack.kms_key_arn or None,
            publish=True,
            # A version must not start before it may read its secret.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _variables(self, storage: Storage) -> dict[str, pulumi.Input[str]]:
        stack = self._deployment.stack
        return {
            **stack.environment_variables,
            "TOLLGATE_ENVIRONMENT": stack.environment,
            "TOLLGATE_LOG_LEVEL": stack.log_level,
            "TOLLGATE_SESSIONS_TABLE": storage.sessions.name,
            "TOLLGATE_RATE_LIMITS_TABLE": storage.rate_limits.name,
            "TOLLGATE_SIGNING_SECRET_ARN": storage.secret.arn,
            # Read by nobody: a new key makes a new version, and so new containers.
            "TOLLGATE_SIGNING_SECRET_VERSION": storage.version.version_id,
        }

    def _statements(self, storage: Storage) -> list[dict[str, object]]:
        """Exactly what the code calls; `tests/infra/test_function.py` holds both together."""
        stack = self._deployment.stack
        statements: list[dict[str, object]] = [
            _allow(
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
                storage.sessions.arn,
            ),
            _allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], storage.rate_limits.arn),
            _allow(["secretsmanager:GetSecretValue"], storage.secret.arn),
            _allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                pulumi.Output.concat(self.log_group.arn, ":*"),
            ),
        ]
        if stack.kms_key_arn:
            statements.append(_allow(["kms:Decrypt"], stack.kms_key_arn))
        if stack.tracing:
            # X-Ray knows no resources.
            statements.append(_allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"))
        if stack.vpc:
            # Lambda makes the network interfaces with this role, and EC2 describes no single one.
            statements.append(
                _allow(
                    [
                        "ec2:AssignPrivateIpAddresses",
                        "ec2:CreateNetworkInterface",
                        "ec2:DeleteNetworkInterface",
                        "ec2:DescribeNetworkInterfaces",
                        "ec2:DescribeSubnets",
                        "ec2:UnassignPrivateIpAddresses",
                    ],
                    "*",
                )
            )
        return statements


def _allow(actions: list[str], resource: pulumi.Input[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}
