"""What outlives a version of the function: the two tables and the secret."""

import pulumi
import pulumi_aws as aws

from infra.settings import Deployment


class Storage(pulumi.ComponentResource):
    """Renaming a table here replaces it and loses its items: a test pins their names."""

    def __init__(self, deployment: Deployment, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tollgate:infra:Storage", deployment.name, None, opts)
        stack = deployment.stack
        self.sessions = self._table(
            deployment,
            "sessions",
            hash_key="user_id",
            range_key="session_id",
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(
                enabled=stack.point_in_time_recovery
            ),
        )
        # Counters are worth nothing a minute later: recovering them would only cost money.
        self.rate_limits = self._table(deployment, "rate-limits", hash_key="rate_limit_key")
        self.secret = aws.secretsmanager.Secret(
            f"{deployment.name}-signing",
            description="Signing keys of the session tokens, and secrets for upstreams",
            kms_key_id=stack.kms_key_arn or None,
            # With a waiting time, the next `up` after a `destroy` would find the name taken.
            recovery_window_in_days=0,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.version = aws.secretsmanager.SecretVersion(
            f"{deployment.name}-signing",
            secret_id=self.secret.id,
            secret_string=deployment.secrets,
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["secret_string"]),
        )
        self.register_outputs({})

    def _table(
        self,
        deployment: Deployment,
        purpose: str,
        hash_key: str,
        range_key: str | None = None,
        point_in_time_recovery: aws.dynamodb.TablePointInTimeRecoveryArgs | None = None,
    ) -> aws.dynamodb.Table:
        stack = deployment.stack
        return aws.dynamodb.Table(
            f"{deployment.name}-{purpose}",
            billing_mode="PAY_PER_REQUEST",
            hash_key=hash_key,
            range_key=range_key,
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=key, type="S")
                for key in (hash_key, range_key)
                if key
            ],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name="ttl", enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=stack.kms_key_arn or None
            ),
            point_in_time_recovery=point_in_time_recovery,
            deletion_protection_enabled=stack.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=stack.protect),
        )
