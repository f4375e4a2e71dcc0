"""The custom domain: certificate, domain name, mapping to the API, and where DNS points."""

import pulumi
import pulumi_aws as aws

from infra.api import Api
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
        self._name = deployment.name
        self._child = pulumi.ResourceOptions(parent=self)
        self.url = f"https://{domain.name}"
        self.certificate_arn = (
            pulumi.Output.from_input(domain.certificate_arn)
            if domain.certificate_arn
            else self._certificate(domain)
        )
        name = aws.apigatewayv2.DomainName(
            deployment.name,
            domain_name=domain.name,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=self.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
            ),
            opts=self._child,
        )
        aws.apigatewayv2.ApiMapping(
            deployment.name,
            api_id=api.api.id,
            domain_name=name.id,
            stage=api.stage.name,
            opts=self._child,
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
                opts=self._child,
            )
        self.register_outputs({})

    def _certificate(self, domain: CustomDomain) -> pulumi.Output[str]:
        """One that ACM renews, proven by a record in the zone."""
        certificate = aws.acm.Certificate(
            self._name, domain_name=domain.name, validation_method="DNS", opts=self._child
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{self._name}-certificate",
            zone_id=domain.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            # A certificate of another stack for the same name asks for the same record.
            allow_overwrite=True,
            opts=self._child,
        )
        validation = aws.acm.CertificateValidation(
            self._name,
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self._child,
        )
        return validation.certificate_arn
