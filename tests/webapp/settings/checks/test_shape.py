from typing import Any

import pytest

from tests.webapp.settings.builders import configuration, mistakes

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0c7d-11"
DOMAIN = {"name": "api.example.com", "zoneId": "Z0123456789ABC"}
VPC = {"subnetIds": ["subnet-0123456789abcdef0"], "securityGroupIds": ["sg-0123456789abcdef0"]}


def whole(least: int, most: int) -> str:
    return f"expected a whole number of at least {least} and at most {most}"


RANGES = [
    ({"memorySize": 64}, f"memorySize: {whole(128, 10240)}, got 64"),
    ({"memorySize": 10241}, f"memorySize: {whole(128, 10240)}, got 10241"),
    ({"timeout": 30}, f"timeout: {whole(1, 29)} (an HTTP API waits no longer), got 30"),
    (
        {"architecture": "arm"},
        'architecture: expected one of "arm64", "x86_64", got "arm" (did you mean "arm64"?)',
    ),
    (
        {"runtime": "nodejs"},
        'runtime: expected one of "python3.11", "python3.12", "python3.13", "python3.14",'
        ' got "nodejs"',
    ),
    ({"bytecode": "yes"}, 'bytecode: expected true or false, got "yes"'),
    (
        {"logLevel": "TRACE"},
        'logLevel: expected one of "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", got "TRACE"',
    ),
    (
        {"throttlingRateLimit": 0},
        "throttlingRateLimit: expected a whole number of at least 1, got 0",
    ),
    (
        {"throttlingBurstLimit": 0},
        "throttlingBurstLimit: expected a whole number of at least 1, got 0",
    ),
    (
        {"reservedConcurrency": -1},
        "reservedConcurrency: expected a whole number of at least 1, got -1",
    ),
    (
        {"provisionedConcurrency": -1},
        "provisionedConcurrency: expected a whole number of at least 1, got -1",
    ),
    ({"pinVersion": "$LATEST"}, 'pinVersion: expected a whole number of at least 1, got "$LATEST"'),
    ({"monthlyBudgetUsd": "-5"}, "monthlyBudgetUsd: expected a number above 0, got -5"),
    (
        {"environment": "my env"},
        'environment: "my env" is not a name of at most 32 letters, digits, - and _',
    ),
    (
        {"adminRole": "a b"},
        'adminRole: expected a role of at most 64 letters, digits and _.:-, got "a b"',
    ),
    (
        {"apiDocs": "private"},
        'apiDocs: expected one of "public", "session", "off", got "private"',
    ),
]

FORMS = [
    ({"alarmEmail": "ops"}, 'alarmEmail: "ops" is not an e-mail address'),
    ({"budgetEmail": "ops@x"}, 'budgetEmail: "ops@x" is not an e-mail address'),
    ({"budgetTag": "Project"}, 'budgetTag: "Project" is not a tag such as Project=tollgate'),
    (
        {"alarmTopicArn": "arn:aws:sqs:eu-west-1:123456789012:alarms"},
        'alarmTopicArn: "arn:aws:sqs:eu-west-1:123456789012:alarms" is not a topic such as'
        " arn:aws:sns:eu-west-1:123456789012:alarms",
    ),
    (
        {"permissionsBoundaryArn": "boundary"},
        'permissionsBoundaryArn: "boundary" is not a policy such as'
        " arn:aws:iam::123456789012:policy/boundary",
    ),
    (
        {"kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:alias/a"},
        'kmsKeyArn: "arn:aws:kms:eu-west-1:123456789012:alias/a" is not a key (no alias) such as'
        " arn:aws:kms:eu-west-1:123456789012:key/...",
    ),
    *(
        (
            {"customDomain": {**DOMAIN, "name": name}},
            f'customDomain.name: "{name}" is no domain such as api.example.com (in lower case)',
        )
        for name in (
            "https://api.example.com", "API.example.com", "localhost", "api_v1.example.com",
            "192.0.2.7", "::1", "api.example.com:443", "api..example.com", "",
        )
    ),
    (
        {"customDomain": {"name": "api.example.com", "zoneId": "zone"}},
        'customDomain.zoneId: "zone" is no hosted zone such as Z0123456789ABCDEFGHIJ',
    ),
    (
        {"customDomain": {**DOMAIN, "certificateArn": "arn:aws:iam::1:x"}},
        'customDomain.certificateArn: "arn:aws:iam::1:x" is no certificate such as'
        " arn:aws:acm:eu-west-1:123456789012:certificate/...",
    ),
    ({"customDomain": {"zoneId": "Z0123"}}, "customDomain.name: is missing"),
    ({"vpc": {**VPC, "subnetIds": []}}, "vpc.subnetIds: is empty; name at least one subnet-..."),
    (
        {"vpc": {**VPC, "securityGroupIds": ["subnet-01234567"]}},
        'vpc.securityGroupIds[0]: "subnet-01234567" is no sg-...',
    ),
    ({"vpc": {"subnetIds": VPC["subnetIds"]}}, "vpc.securityGroupIds: is missing"),
    (
        {"environmentVariables": {"TOLLGATE_X": "1"}},
        "environmentVariables.TOLLGATE_X: is set by the gateway or by Lambda; choose another name",
    ),
    (
        {"environmentVariables": {"AWS_X": "1"}},
        "environmentVariables.AWS_X: is set by the gateway or by Lambda; choose another name",
    ),
    (
        {"environmentVariables": {"1X": "1"}},
        "environmentVariables.1X: is no name: two or more letters, digits and _, beginning with a"
        " letter",
    ),
    (
        {"environmentVariables": {"LEVEL": 3}},
        "environmentVariables.LEVEL: expected text, got 3 (put it in quotes)",
    ),
    (
        {"environmentVariables": {"LONG": "x" * 3072}},
        "environmentVariables: holds more than 3072 bytes together",
    ),
]  # fmt: skip

CLASHES = [
    (
        {"snapStart": True, "provisionedConcurrency": 1},
        "snapStart: excludes provisionedConcurrency; AWS takes one or the other",
    ),
    (
        {"snapStart": True, "runtime": "python3.11"},
        "snapStart: needs python3.12 or later (tollgate:runtime)",
    ),
    (
        {"provisionedConcurrency": 6, "reservedConcurrency": 5},
        "provisionedConcurrency: must be at most reservedConcurrency",
    ),
    (
        {"alarmEmail": "a@b.example", "alarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:a"},
        "alarmEmail: subscribes to the stack's own topic, which alarmTopicArn replaces; unset one"
        " of them",
    ),
    ({"monthlyBudgetUsd": 50}, "monthlyBudgetUsd: needs budgetEmail: whom to tell"),
    (
        {"customDomain": {"name": "api.example.com"}},
        "customDomain.certificateArn: is required without zoneId: nothing can prove the domain to a"
        " new certificate",
    ),
    (
        {"disableDefaultEndpoint": True},
        "disableDefaultEndpoint: needs customDomain, or nothing can be reached",
    ),
    (
        {"disableDefaultEndpoint": True, "edge": True, "customDomain": DOMAIN},
        "disableDefaultEndpoint: excludes edge: the distribution reaches the API by its default"
        " endpoint",
    ),
    (
        {"edge": True, "customDomain": {**DOMAIN, "certificateArn": CERTIFICATE}},
        "customDomain: with edge the domain is the distribution's: certificateArn must be in"
        " us-east-1",
    ),
]


@pytest.mark.parametrize(("changes", "line"), [*RANGES, *FORMS, *CLASHES])
def test_what_aws_refuses_is_named(changes: dict[str, Any], line: str) -> None:
    assert mistakes(**changes) == [f"tollgate:{line}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"memorySize": 10240, "timeout": 29, "logRetentionDays": 3653},
        {"snapStart": True, "runtime": "python3.12"},
        {"provisionedConcurrency": 5, "reservedConcurrency": 5},
        {"monthlyBudgetUsd": 12.5, "budgetEmail": "a@b.example", "budgetTag": "Project=tollgate"},
        {"customDomain": DOMAIN, "disableDefaultEndpoint": True},
        {"customDomain": {"name": "api.example.com", "certificateArn": CERTIFICATE}},
        {"customDomain": DOMAIN, "edge": True},
        {"vpc": VPC},
        {"kmsKeyArn": "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1a"},
        {"permissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
        {"environmentVariables": {"SENTRY_DSN": "https://x"}},
    ],
)
def test_what_aws_takes_is_read(changes: dict[str, Any]) -> None:
    assert mistakes(**changes) == []


@pytest.mark.parametrize("days", [2, 8, 31, 10000])
def test_only_retentions_that_cloudwatch_takes(days: int) -> None:
    (line,) = mistakes(logRetentionDays=days)
    assert line.startswith("tollgate:logRetentionDays: expected one of 1, 3, 5, 7, 14, 30,")


def test_the_environment_defaults_to_the_name_of_the_stack() -> None:
    assert configuration().stack.environment == "dev"
    assert configuration(environment="staging").stack.environment == "staging"


def test_the_gateway_learns_what_changes_its_work() -> None:
    settings = configuration(
        customDomain=DOMAIN, edge=True, metricsByRoute=True, tracing=True
    ).settings
    assert settings.public_host == "api.example.com"
    assert (settings.edge, settings.metrics_by_route, settings.tracing) == (True, True, True)
