"""Where stacks are kept: the bucket of their state, the key of their secrets."""

import pulumi
from pulumi_aws import kms, s3
from pulumi_aws.s3 import (
    BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs as ByDefault,
)

from bootstrap.statements import Statement, allow, document

# Names in `.pulumi/` begin with the project's, as the gateway's Pulumi.yaml has it. What the
# bootstrap program itself keeps there is out of the roles' reach.
_PROJECT = "tollgate"

_OLD_VERSIONS = s3.BucketLifecycleConfigurationRuleArgs(
    id="old-versions",
    status="Enabled",
    filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
    noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
        noncurrent_days=90
    ),
    # Every lock that is given back leaves such a marker.
    expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
    abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=7
    ),
)


class State(pulumi.ComponentResource):
    """Both are protected: whoever loses them has lost what Pulumi knows of the account."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tollgate:bootstrap:State", name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        protected = pulumi.ResourceOptions(parent=self, protect=True)
        self.key = kms.Key(
            name,
            description="State and secrets of Tollgate's stacks",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=protected,
        )
        self.alias = kms.Alias(
            name, name=f"alias/{name}", target_key_id=self.key.key_id, opts=self._child
        )
        self.bucket = s3.Bucket(name, opts=protected)
        self._keep_versions()
        self._encrypt()
        self._close()
        self.register_outputs({})

    def reading(self) -> list[Statement]:
        """What `pulumi preview` needs: it takes no lock, and so writes nothing."""
        return [
            allow(["s3:ListBucket"], [self.bucket.arn]),
            allow(["s3:GetObject"], [self._object("meta.yaml"), self._object(f"*/{_PROJECT}/*")]),
            allow(["kms:Decrypt"], [self.key.arn]),
        ]

    def writing(self) -> list[Statement]:
        """What an update needs besides; its lock is a file under `.pulumi/locks/`."""
        return [
            allow(["s3:DeleteObject", "s3:PutObject"], [self._object(f"*/{_PROJECT}/*")]),
            allow(["kms:Encrypt", "kms:GenerateDataKey"], [self.key.arn]),
        ]

    def _object(self, path: str) -> pulumi.Output[str]:
        return pulumi.Output.concat(self.bucket.arn, "/.pulumi/", path)

    def _keep_versions(self) -> None:
        """An update replaces the state as a whole: an old version is the way back."""
        versioning = s3.BucketVersioning(
            self._name,
            bucket=self.bucket.id,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=self._child,
        )
        s3.BucketLifecycleConfiguration(
            self._name,
            bucket=self.bucket.id,
            rules=[_OLD_VERSIONS],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )

    def _encrypt(self) -> None:
        by_default = ByDefault(sse_algorithm="aws:kms", kms_master_key_id=self.key.arn)
        s3.BucketServerSideEncryptionConfiguration(
            self._name,
            bucket=self.bucket.id,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_default, bucket_key_enabled=True
                )
            ],
            opts=self._child,
        )

    def _close(self) -> None:
        block = s3.BucketPublicAccessBlock(
            self._name,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        plain_http = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.bucket.arn, pulumi.Output.concat(self.bucket.arn, "/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.BucketPolicy(
            self._name,
            bucket=self.bucket.id,
            policy=document([plain_http]),
            # S3 refuses two changes to a bucket's access at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
