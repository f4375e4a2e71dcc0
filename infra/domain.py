"""The custom domain: certificate, domain name, mapping to the API, and where DNS points."""

import pulumi
import pulumi_aws as aws

from infra.api import Api
from infra.certificate import certificate
from infra.settings import Deployment
from webapp.settings.stack import CustomDomain


class Domain(pulumi.ComponentResource):
    """With a hosted zone all of it; without one the operator's certificate and own DNS."""

    def __init__(
        self,
        deployment: Deployment,
        domain: CustomDomain,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Domain", deployment.name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.url = pulumi.Output.from_input(f"https://{domain.name}")
        self.certificate_arn = certificate(deployment.name, domain, child)
        name = aws.apigatewayv2.DomainName(
            deployment.name,
            domain_name=domain.name,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=self.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
            ),
            opts=child,
        )
        aws.apigatewayv2.ApiMapping(
            deployment.name,
            api_id=api.api.id,
            domain_name=name.id,
            stage=api.stage.name,
            opts=child,
        )
        configuration = name.domain_name_configuration
        self.target = configuration.target_domain_name
        if domain.zone_id:
            aws.route53.Record(
                f"{deployment.name}-domain",
                zone_id=domain.zone_id,
                name=domain.name,
                type="A",
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=configuration.target_domain_name,
                        zone_id=configuration.hosted_zone_id,
                        evaluate_target_health=False,
                    )
                ],
                opts=child,
            )
        self.register_outputs({})
