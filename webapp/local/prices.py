"""List prices of AWS in US East (N. Virginia), in US dollars: nothing else holds a price."""

from typing import NamedTuple

REGION = "us-east-1"
CHECKED = "2026-11-26"

# Where each service says so. Larger volumes become cheaper: what stands below is the first tier.
PAGES = {
    "Lambda": "https://aws.amazon.com/lambda/pricing/",
    "API Gateway": "https://aws.amazon.com/api-gateway/pricing/",
    "DynamoDB": "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    "Secrets Manager": "https://aws.amazon.com/secrets-manager/pricing/",
    "CloudWatch": "https://aws.amazon.com/cloudwatch/pricing/",
    "X-Ray": "https://aws.amazon.com/xray/pricing/",
    "SNS": "https://aws.amazon.com/sns/pricing/",
    "Budgets": "https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/",
    "CloudFront": "https://aws.amazon.com/cloudfront/pricing/",
    "WAF": "https://aws.amazon.com/waf/pricing/",
    "KMS": "https://aws.amazon.com/kms/pricing/",
    "Route 53": "https://aws.amazon.com/route53/pricing/",
    "Data transfer": "https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer",
}


class Price(NamedTuple):
    """`dollars` for so much of a `unit` as `per` says; every month so many units are `free`.

    Only what is free for ever counts as such, not what new accounts get.
    """

    service: str
    name: str
    dollars: float
    per: int = 1
    unit: str = ""
    free: float = 0


_MILLION = 1_000_000

LAMBDA_REQUESTS = Price("Lambda", "requests", 0.20, _MILLION, free=_MILLION)
DURATION = {
    "arm64": Price("Lambda", "duration, arm64", 13.3334, _MILLION, "GB-s", free=400_000),
    "x86_64": Price("Lambda", "duration, x86_64", 16.6667, _MILLION, "GB-s", free=400_000),
}
KEPT_WARM = {
    "arm64": Price("Lambda", "kept warm, arm64", 3.3334, _MILLION, "GB-s"),
    "x86_64": Price("Lambda", "kept warm, x86_64", 4.1667, _MILLION, "GB-s"),
}
WARM_DURATION = {
    "arm64": Price("Lambda", "warm duration, arm64", 7.7778, _MILLION, "GB-s"),
    "x86_64": Price("Lambda", "warm duration, x86_64", 9.7222, _MILLION, "GB-s"),
}
SNAPSHOT_CACHE = Price("Lambda", "snapshot kept", 1.5046, _MILLION, "GB-s")
SNAPSHOT_RESTORE = Price("Lambda", "snapshot restored", 139.7998, _MILLION, "GB")

HTTP_REQUESTS = Price("API Gateway", "requests", 1.00, _MILLION)

TABLE_WRITES = Price("DynamoDB", "writes", 0.625, _MILLION)
TABLE_READS = Price("DynamoDB", "reads", 0.125, _MILLION)
TABLE_STORAGE = Price("DynamoDB", "storage", 0.25, 1, "GB", free=25)
TABLE_RECOVERY = Price("DynamoDB", "point-in-time recovery", 0.20, 1, "GB")

SECRETS = Price("Secrets Manager", "secret", 0.40)
SECRET_CALLS = Price("Secrets Manager", "calls", 5.00, _MILLION)

# The free 5 GB are for what is ingested, stored and queried together.
LOGS_INGESTED = Price("CloudWatch", "logs ingested", 0.50, 1, "GB", free=5)
LOGS_STORED = Price("CloudWatch", "logs stored", 0.03, 1, "GB")
METRICS = Price("CloudWatch", "metrics", 0.30, free=10)
ALARMS = Price("CloudWatch", "alarms", 0.10, free=10)
DASHBOARDS = Price("CloudWatch", "dashboard", 3.00, free=3)

TRACES = Price("X-Ray", "traces recorded", 5.00, _MILLION, free=100_000)
MAILS = Price("SNS", "mails", 20.00, _MILLION, free=1_000)
# Those that only notify.
BUDGETS = Price("Budgets", "budget", 0.00)

EDGE_REQUESTS = Price("CloudFront", "HTTPS requests", 1.00, _MILLION, free=10 * _MILLION)
EDGE_FUNCTION = Price("CloudFront", "function", 0.10, _MILLION, free=2 * _MILLION)
EDGE_OUT = Price("CloudFront", "data out", 0.085, 1, "GB", free=1024)

FIREWALL = Price("WAF", "web ACL", 5.00)
FIREWALL_RULES = Price("WAF", "rules", 1.00)
FIREWALL_REQUESTS = Price("WAF", "requests", 0.60, _MILLION)

KEYS = Price("KMS", "key", 1.00)
KEY_REQUESTS = Price("KMS", "requests", 3.00, _MILLION, free=20_000)

ZONES = Price("Route 53", "hosted zone", 0.50)

DATA_OUT = Price("Data transfer", "out to the internet", 0.09, 1, "GB", free=100)
