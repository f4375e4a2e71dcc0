"""The edge: CloudFront with WAF before the API, whose default endpoint trusts nobody else."""

import hashlib
import hmac
import json

import pulumi
import pulumi_aws as aws

from infra.api import Api
from infra.certificate import certificate
from infra.firewall import REGION, Firewall
from infra.settings import Deployment
from webapp.settings.stack import CustomDomain

# The gateway believes the last two only where the first is right, and passes none of them on.
PROOF, ADDRESS, HOST = "tollgate-edge-proof", "tollgate-edge-address", "tollgate-edge-host"

# AWS's own policies: to keep nothing, and to pass on all that viewers send but `Host`, by which
# API Gateway finds the API.
_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

# Longer than an HTTP API ever takes, so that it is never asked twice.
_ORIGIN_TIMEOUT = 35

_HAND_OVER = f"""function handler(event) {{
  var headers = event.request.headers;
  headers[{json.dumps(HOST)}] = {{value: headers.host.value}};
  headers[{json.dumps(ADDRESS)}] = {{value: event.viewer.ip}};
  return event.request;
}}
"""


def proof(key: str) -> str:
    """What the distribution shows the gateway; nobody learns the signing key from it."""
    return hmac.new(key.encode(), PROOF.encode(), hashlib.sha256).hexdigest()


class Edge(pulumi.ComponentResource):
    """The custom domain, if there is one, is the distribution's."""

    def __init__(
        self,
        deployment: Deployment,
        domain: CustomDomain | None,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Edge", deployment.name, None, opts)
        self._name = deployment.name
        self._child = pulumi.ResourceOptions(parent=self)
        self.certificate_arn = (
            certificate(deployment.name, domain, self._child, REGION) if domain else None
        )
        distribution = self._distribution(deployment, domain, api)
        self.target = distribution.domain_name
        self.url = pulumi.Output.concat("https://", domain.name if domain else self.target)
        if domain and domain.zone_id:
            self._addresses(domain, distribution)
        self.register_outputs({})

    def _distribution(
        self, deployment: Deployment, domain: CustomDomain | None, api: Api
    ) -> aws.cloudfront.Distribution:
        return aws.cloudfront.Distribution(
            self._name,
            comment=self._name,
            enabled=True,
            is_ipv6_enabled=True,
            http_version="http2and3",
            aliases=[domain.name] if domain else None,
            web_acl_id=Firewall(deployment, self._child).acl.arn,
            origins=[_origin(deployment, api)],
            default_cache_behavior=self._behavior(),
            restrictions=aws.cloudfront.DistributionRestrictionsArgs(
                geo_restriction=aws.cloudfront.DistributionRestrictionsGeoRestrictionArgs(
                    restriction_type="none"
                )
            ),
            viewer_certificate=_viewer_certificate(self.certificate_arn),
            opts=self._child,
        )

    def _behavior(self) -> aws.cloudfront.DistributionDefaultCacheBehaviorArgs:
        hand_over = aws.cloudfront.Function(
            self._name,
            name=self._name,
            comment="Tells the gateway who asks, and by which name",
            runtime="cloudfront-js-2.0",
            code=_HAND_OVER,
            publish=True,
            opts=self._child,
        )
        return aws.cloudfront.DistributionDefaultCacheBehaviorArgs(
            target_origin_id="api",
            viewer_protocol_policy="https-only",
            allowed_methods=["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            cached_methods=["GET", "HEAD"],
            cache_policy_id=_CACHING_DISABLED,
            origin_request_policy_id=_ALL_VIEWER_EXCEPT_HOST,
            function_associations=[
                aws.cloudfront.DistributionDefaultCacheBehaviorFunctionAssociationArgs(
                    event_type="viewer-request", function_arn=hand_over.arn
                )
            ],
        )

    def _addresses(self, domain: CustomDomain, distribution: aws.cloudfront.Distribution) -> None:
        for version, kind in (("ipv4", "A"), ("ipv6", "AAAA")):
            aws.route53.Record(
                f"{self._name}-{version}",
                zone_id=domain.zone_id,
                name=domain.name,
                type=kind,
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=distribution.domain_name,
                        zone_id=distribution.hosted_zone_id,
                        evaluate_target_health=False,
                    )
                ],
                opts=self._child,
            )


def _origin(deployment: Deployment, api: Api) -> aws.cloudfront.DistributionOriginArgs:
    return aws.cloudfront.DistributionOriginArgs(
        origin_id="api",
        domain_name=api.api.api_endpoint.apply(lambda url: url.removeprefix("https://")),
        custom_headers=[
            aws.cloudfront.DistributionOriginCustomHeaderArgs(
                name=PROOF, value=deployment.signing_key.apply(proof)
            )
        ],
        custom_origin_config=aws.cloudfront.DistributionOriginCustomOriginConfigArgs(
            http_port=80,
            https_port=443,
            origin_protocol_policy="https-only",
            origin_ssl_protocols=["TLSv1.2"],
            origin_read_timeout=_ORIGIN_TIMEOUT,
        ),
    )


def _viewer_certificate(
    arn: pulumi.Output[str] | None,
) -> aws.cloudfront.DistributionViewerCertificateArgs:
    if arn is None:
        return aws.cloudfront.DistributionViewerCertificateArgs(cloudfront_default_certificate=True)
    return aws.cloudfront.DistributionViewerCertificateArgs(
        acm_certificate_arn=arn,
        minimum_protocol_version="TLSv1.2_2021",
        ssl_support_method="sni-only",
    )
