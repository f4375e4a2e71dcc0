"""What each type of resource in the gateway's stack asks of IAM, to be read or to be changed."""

from bootstrap import boundary
from bootstrap.statements import Permission

# Names of certificates, APIs, distributions and zones are AWS's or the operator's own: no pattern
# tells those of the gateway from others. What has a name of the stack's is bound to `tollgate-*`.


def permissions(account: str) -> list[Permission]:
    return [
        *_storage(account),
        *_roles(account),
        *_function(account),
        *_logs(account),
        *_api(),
        *_domain(account),
        *_edge(account),
        *_watching(account),
    ]


def _storage(account: str) -> list[Permission]:
    keys = f"arn:aws:kms:*:{account}:key/*"
    return [
        Permission(
            "dynamodb/table:Table",
            "dynamodb",
            [f"arn:aws:dynamodb:*:{account}:table/tollgate-*"],
            reads="DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource",
            writes="CreateTable DeleteTable TagResource UntagResource UpdateContinuousBackups"
            " UpdateTable UpdateTimeToLive",
        ),
        Permission(
            "secretsmanager/secret:Secret secretsmanager/secretVersion:SecretVersion",
            "secretsmanager",
            [f"arn:aws:secretsmanager:*:{account}:secret:tollgate-*"],
            reads="DescribeSecret GetResourcePolicy GetSecretValue",
            writes="CreateSecret DeleteSecret PutSecretValue TagResource UntagResource UpdateSecret"
            " UpdateSecretVersionStage",
        ),
        # What `kmsKeyArn` names (its own policy decides, too), and the alias of DynamoDB's own.
        Permission("dynamodb/table:Table", "kms", [keys], reads="DescribeKey"),
        Permission(
            "dynamodb/table:Table lambda/function:Function secretsmanager/secret:Secret",
            "kms",
            [keys],
            reads="Decrypt",
            writes="CreateGrant Encrypt GenerateDataKey",
            condition={
                "StringLike": {
                    "kms:ViaService": [
                        "dynamodb.*.amazonaws.com",
                        "lambda.*.amazonaws.com",
                        "secretsmanager.*.amazonaws.com",
                    ]
                }
            },
        ),
    ]


def _roles(account: str) -> list[Permission]:
    roles = f"arn:aws:iam::{account}:role/tollgate-*"
    return [
        Permission(
            "iam/role:Role iam/rolePolicy:RolePolicy",
            "iam",
            [roles],
            reads="GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
            # Not UpdateAssumeRolePolicy: whoever may say whom a role trusts may become that role.
            writes="DeleteRole DeleteRolePolicy ListInstanceProfilesForRole TagRole UntagRole",
        ),
        # Only of roles that the boundary binds: no deployment can make one that may do more.
        Permission(
            "iam/role:Role iam/rolePolicy:RolePolicy",
            "iam",
            [roles],
            writes="CreateRole PutRolePermissionsBoundary PutRolePolicy",
            condition={"StringEquals": {"iam:PermissionsBoundary": boundary.arn(account)}},
        ),
        Permission(
            "iam/role:Role lambda/function:Function",
            "iam",
            [roles],
            writes="PassRole",
            condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
    ]


def _function(account: str) -> list[Permission]:
    return [
        Permission(
            "lambda/alias:Alias lambda/function:Function lambda/permission:Permission"
            " lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
            "lambda",
            [f"arn:aws:lambda:*:{account}:function:tollgate-*"],
            reads="GetAlias GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency"
            " GetFunctionConfiguration GetPolicy GetProvisionedConcurrencyConfig ListTags"
            " ListVersionsByFunction",
            writes="AddPermission CreateAlias CreateFunction DeleteAlias DeleteFunction"
            " DeleteFunctionConcurrency DeleteProvisionedConcurrencyConfig PublishVersion"
            " PutFunctionConcurrency PutProvisionedConcurrencyConfig RemovePermission TagResource"
            " UntagResource UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration",
        ),
        # Lambda looks at the subnets and security groups of `vpc` in the name of who asks for them.
        Permission(
            "lambda/function:Function",
            "ec2",
            ["*"],
            writes="DescribeSecurityGroups DescribeSubnets DescribeVpcs",
        ),
    ]


def _logs(account: str) -> list[Permission]:
    return [
        Permission(
            "cloudwatch/logGroup:LogGroup cloudwatch/logMetricFilter:LogMetricFilter",
            "logs",
            [
                f"arn:aws:logs:*:{account}:log-group:/aws/lambda/tollgate-*",
                f"arn:aws:logs:*:{account}:log-group:/aws/vendedlogs/tollgate-*",
            ],
            reads="DescribeMetricFilters ListTagsForResource",
            writes="AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteMetricFilter"
            " DeleteRetentionPolicy DisassociateKmsKey PutMetricFilter PutRetentionPolicy"
            " TagResource UntagResource",
        ),
        Permission("cloudwatch/logGroup:LogGroup", "logs", ["*"], reads="DescribeLogGroups"),
        Permission(
            "cloudwatch/queryDefinition:QueryDefinition",
            "logs",
            ["*"],
            reads="DescribeQueryDefinitions",
            writes="DeleteQueryDefinition PutQueryDefinition",
        ),
    ]


def _api() -> list[Permission]:
    return [
        Permission(
            "apigatewayv2/api:Api apigatewayv2/apiMapping:ApiMapping"
            " apigatewayv2/domainName:DomainName apigatewayv2/integration:Integration"
            " apigatewayv2/route:Route apigatewayv2/stage:Stage",
            "apigateway",
            [
                "arn:aws:apigateway:*::/apis",
                "arn:aws:apigateway:*::/apis/*",
                "arn:aws:apigateway:*::/domainnames",
                "arn:aws:apigateway:*::/domainnames/*",
                "arn:aws:apigateway:*::/tags/*",
            ],
            reads="GET",
            writes="DELETE PATCH POST PUT",
        ),
        # It opens its way from the API to the log group in the name of who makes the stage.
        Permission(
            "apigatewayv2/stage:Stage",
            "logs",
            ["*"],
            writes="CreateLogDelivery DeleteLogDelivery DescribeResourcePolicies GetLogDelivery"
            " ListLogDeliveries PutResourcePolicy UpdateLogDelivery",
        ),
    ]


def _domain(account: str) -> list[Permission]:
    return [
        Permission(
            "acm/certificate:Certificate acm/certificateValidation:CertificateValidation",
            "acm",
            [f"arn:aws:acm:*:{account}:certificate/*"],
            reads="DescribeCertificate ListTagsForCertificate",
            writes="AddTagsToCertificate DeleteCertificate RemoveTagsFromCertificate",
        ),
        # Here and below: what is yet to be made has no ARN at these services.
        Permission("acm/certificate:Certificate", "acm", ["*"], writes="RequestCertificate"),
        # API Gateway makes its role for domain names when the account's first one is made.
        Permission(
            "apigatewayv2/domainName:DomainName",
            "iam",
            [f"arn:aws:iam::{account}:role/aws-service-role/ops.apigateway.amazonaws.com/*"],
            writes="CreateServiceLinkedRole",
        ),
        Permission(
            "route53/record:Record",
            "route53",
            ["arn:aws:route53:::hostedzone/*", "arn:aws:route53:::change/*"],
            reads="GetChange GetHostedZone ListResourceRecordSets",
        ),
        # Neither the zone's mail nor its delegation.
        Permission(
            "route53/record:Record",
            "route53",
            ["arn:aws:route53:::hostedzone/*"],
            writes="ChangeResourceRecordSets",
            condition={
                "ForAllValues:StringEquals": {
                    "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME"]
                }
            },
        ),
    ]


def _edge(account: str) -> list[Permission]:
    return [
        Permission(
            "cloudfront/distribution:Distribution cloudfront/function:Function",
            "cloudfront",
            [
                f"arn:aws:cloudfront::{account}:distribution/*",
                f"arn:aws:cloudfront::{account}:function/tollgate-*",
            ],
            reads="DescribeFunction GetDistribution GetFunction ListTagsForResource",
            writes="DeleteDistribution DeleteFunction PublishFunction TagResource UntagResource"
            " UpdateDistribution UpdateFunction",
        ),
        Permission(
            "cloudfront/distribution:Distribution cloudfront/function:Function",
            "cloudfront",
            ["*"],
            writes="CreateDistribution CreateFunction",
        ),
        # WAF asks for the same actions on the managed rules that the ACL is made of.
        Permission(
            "wafv2/webAcl:WebAcl",
            "wafv2",
            [
                f"arn:aws:wafv2:*:{account}:global/webacl/tollgate-*",
                f"arn:aws:wafv2:*:{account}:global/managedruleset/*",
            ],
            reads="GetWebACL ListTagsForResource",
            writes="CreateWebACL DeleteWebACL TagResource UntagResource UpdateWebACL",
        ),
    ]


def _watching(account: str) -> list[Permission]:
    return [
        Permission(
            "budgets/budget:Budget",
            "budgets",
            [f"arn:aws:budgets::{account}:budget/tollgate-*"],
            reads="ListTagsForResource ViewBudget",
            writes="ModifyBudget TagResource UntagResource",
        ),
        Permission(
            "cloudwatch/dashboard:Dashboard cloudwatch/metricAlarm:MetricAlarm",
            "cloudwatch",
            [
                f"arn:aws:cloudwatch::{account}:dashboard/tollgate-*",
                f"arn:aws:cloudwatch:*:{account}:alarm:tollgate-*",
            ],
            reads="GetDashboard ListTagsForResource",
            writes="DeleteAlarms DeleteDashboards PutDashboard PutMetricAlarm TagResource"
            " UntagResource",
        ),
        Permission(
            "cloudwatch/metricAlarm:MetricAlarm", "cloudwatch", ["*"], reads="DescribeAlarms"
        ),
        Permission(
            "sns/topic:Topic sns/topicSubscription:TopicSubscription",
            "sns",
            [f"arn:aws:sns:*:{account}:tollgate-*"],
            reads="GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource",
            writes="CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource",
        ),
        # SNS knows no subscriptions as resources.
        Permission(
            "sns/topicSubscription:TopicSubscription",
            "sns",
            ["*"],
            reads="GetSubscriptionAttributes",
            writes="SetSubscriptionAttributes Unsubscribe",
        ),
    ]
