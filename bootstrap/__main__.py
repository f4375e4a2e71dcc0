"""What an account needs before the gateway: where state is kept, and whom it believes in CI."""

import sys
from pathlib import Path

# Pulumi looks for modules in this folder; they are the repository's, as `infra` and `webapp` are.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi
import pulumi_aws as aws

from bootstrap.boundary import boundary
from bootstrap.github import provider_arn, trust
from bootstrap.permissions import permissions
from bootstrap.roles import role
from bootstrap.settings import settings
from bootstrap.state import State
from bootstrap.statements import changing, reading

configured = settings()
account = aws.get_caller_identity().account_id
region = aws.get_region().region

state = State("tollgate-state")
bounds = boundary(account, state)
github = provider_arn(configured.oidc_provider_arn)
asked = permissions(account)

preview = role(
    "tollgate-preview",
    "Looks at Tollgate's stacks and changes nothing",
    trust(github, configured.previewing()),
    {"state": state.reading(), "stack": reading(asked)},
)
deploy = role(
    "tollgate-deploy",
    "Deploys Tollgate's stacks, with roles that the boundary binds",
    trust(github, configured.deploying()),
    {"state": state.reading() + state.writing(), "stack": changing(asked)},
)

pulumi.export("state_bucket", state.bucket.bucket)
pulumi.export(
    "backend_url", pulumi.Output.concat("s3://", state.bucket.bucket, f"?region={region}")
)
pulumi.export(
    "secrets_provider", pulumi.Output.concat("awskms://", state.alias.name, f"?region={region}")
)
pulumi.export("preview_role_arn", preview.arn)
pulumi.export("deploy_role_arn", deploy.arn)
pulumi.export("permissions_boundary_arn", bounds.arn)
