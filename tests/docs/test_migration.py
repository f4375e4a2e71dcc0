import re

import pytest

from webapp.settings.files import ROOT
from webapp.settings.read import KEYS

VARIABLES = [
    "token_signing_secret",
    "environment",
    "aws_region",
    "lambda_memory_size",
    "lambda_timeout",
    "log_level",
    "log_retention_days",
    "additional_lambda_env_vars",
    "UPSTREAM_USER_SERVICE_URL",
    "UPSTREAM_PRODUCT_SERVICE_URL",
    "UPSTREAM_ADMIN_SERVICE_URL",
    "custom_domain_name",
    "create_acm_certificate",
    "create_route53_record",
    "route53_zone_id",
    "enable_cloudwatch_alarms",
    "enable_pitr",
    "lambda_reserved_concurrency",
    "throttling_rate_limit",
    "throttling_burst_limit",
    "provisioned_concurrent_executions",
]
OUTPUTS = [
    "api_gateway_url",
    "lambda_function_name",
    "sessions_table_name",
    "rate_limits_table_name",
    "certificate_arn",
]

PAGE = (ROOT / "docs" / "migration.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)`[^|]*\| (.+) \|$", PAGE, re.MULTILINE))


def test_every_variable_and_output_has_its_row():
    assert list(ROWS) == [*VARIABLES, *OUTPUTS]


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_becomes_a_key_of_a_stack(variable):
    named = re.findall(r"`([a-zA-Z:_]+)(?:\.[\w.]+)?`", ROWS[variable])

    assert named
    assert named[0] in (*KEYS, "aws:region")


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_becomes_an_output(output):
    named = re.findall(r"`(\w+)`", ROWS[output])

    assert f'"{named[0]}"' in (ROOT / "infra" / "outputs.py").read_text()
