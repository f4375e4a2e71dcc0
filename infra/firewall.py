"""The firewall in front of the edge: AWS's managed rules, and a limit for floods."""

import pulumi
import pulumi_aws as aws

from infra.settings import Deployment

# Where CloudFront looks for its firewall and certificate, whatever region the stack is in.
REGION = "us-east-1"

# Requests of one address in five minutes. Far above what policies should admit: this is against
# floods, whose every request would cost a write.
_FLOOD = 10_000

_COMMON = "AWSManagedRulesCommonRuleSet"
_MANAGED = (
    "AWSManagedRulesAmazonIpReputationList",
    _COMMON,
    "AWSManagedRulesKnownBadInputsRuleSet",
)

# It would refuse every body over 8 KB; how large one may be is each route's to say.
_COUNTING_ONLY = "SizeRestrictions_BODY"


class Firewall(pulumi.ComponentResource):
    """A WAF web ACL for one distribution."""

    def __init__(self, deployment: Deployment, opts: pulumi.ResourceOptions | None = None) -> None:
        name = deployment.name
        super().__init__("tollgate:infra:Firewall", name, None, opts)
        managed = [_managed(name, rules, place) for place, rules in enumerate(_MANAGED, start=1)]
        self.acl = aws.wafv2.WebAcl(
            name,
            name=name,
            region=REGION,
            scope="CLOUDFRONT",
            default_action=aws.wafv2.WebAclDefaultActionArgs(
                allow=aws.wafv2.WebAclDefaultActionAllowArgs()
            ),
            rules=[_flood(name), *managed],
            visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
                metric_name=name, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _flood(name: str) -> aws.wafv2.WebAclRuleArgs:
    return aws.wafv2.WebAclRuleArgs(
        name="flood",
        priority=0,
        statement=aws.wafv2.WebAclRuleStatementArgs(
            rate_based_statement=aws.wafv2.WebAclRuleStatementRateBasedStatementArgs(
                limit=_FLOOD, aggregate_key_type="IP", evaluation_window_sec=300
            )
        ),
        action=aws.wafv2.WebAclRuleActionArgs(block=aws.wafv2.WebAclRuleActionBlockArgs()),
        visibility_config=_visible(f"{name}-flood"),
    )


def _managed(name: str, rules: str, place: int) -> aws.wafv2.WebAclRuleArgs:
    group = aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
        vendor_name="AWS",
        name=rules,
        rule_action_overrides=[_counting(_COUNTING_ONLY)] if rules == _COMMON else None,
    )
    return aws.wafv2.WebAclRuleArgs(
        name=rules,
        priority=place,
        statement=aws.wafv2.WebAclRuleStatementArgs(managed_rule_group_statement=group),
        override_action=aws.wafv2.WebAclRuleOverrideActionArgs(
            none=aws.wafv2.WebAclRuleOverrideActionNoneArgs()  # type: ignore[no-untyped-call]
        ),
        visibility_config=_visible(f"{name}-{rules}"),
    )


def _counting(
    rule: str,
) -> aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs:
    count = aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(
        count=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
    )
    return aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(
        name=rule, action_to_use=count
    )


def _visible(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        metric_name=metric, cloudwatch_metrics_enabled=True, sampled_requests_enabled=True
    )
