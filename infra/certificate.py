"""A certificate for the custom domain: the operator's own, or one that ACM makes and renews."""

import pulumi
import pulumi_aws as aws

from webapp.settings.stack import CustomDomain


def certificate(
    name: str, domain: CustomDomain, opts: pulumi.ResourceOptions, region: str | None = None
) -> pulumi.Output[str]:
    """The ARN of a valid one; `region` is where it is needed, if that is not the stack's own."""
    if domain.certificate_arn:
        return pulumi.Output.from_input(domain.certificate_arn)
    made = aws.acm.Certificate(
        name, domain_name=domain.name, validation_method="DNS", region=region, opts=opts
    )
    proof = made.domain_validation_options[0]
    record = aws.route53.Record(
        f"{name}-certificate",
        zone_id=domain.zone_id,
        name=proof.resource_record_name,
        type=proof.resource_record_type,
        records=[proof.resource_record_value],
        ttl=300,
        # A certificate of another stack for the same name asks for the same record.
        allow_overwrite=True,
        opts=opts,
    )
    validation = aws.acm.CertificateValidation(
        name,
        certificate_arn=made.arn,
        validation_record_fqdns=[record.fqdn],
        region=region,
        opts=opts,
    )
    return validation.certificate_arn
