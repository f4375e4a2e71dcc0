"""What a container finds around it, on loopback: stores, an upstream, a signed-in user.

Prints what a container must be told as one JSON line, and serves until its input ends. In a process
of its own: nothing it has loaded or warmed may help the container that is measured.
"""

import json
import sys

from msgspec.structs import replace

from webapp.bridge import make_handler
from webapp.gateway import create_app
from webapp.local.demo import demo_upstreams
from webapp.local.embedded import embedded_aws
from webapp.local.running import localised
from webapp.settings import Runtime, Settings, encode
from webapp.settings.read import load

SIGN_IN = "/api/v1/login"
READ = "/api/v1/users"


def main() -> None:
    given = load("dev").settings
    with embedded_aws() as aws, demo_upstreams(given, given.upstreams) as urls:
        settings = replace(given, upstreams=localised(given, urls).upstreams)
        runtime = aws.runtime("dev")
        told = {
            "environ": _environ(runtime, aws.endpoint_url),
            "settings": encode(settings).decode(),
            "event": event("GET", READ, authorization=f"Bearer {_token(settings, runtime)}"),
        }
        print(json.dumps(told), flush=True)
        sys.stdin.read()


def event(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, object]:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "gw.example.com", "content-type": "application/json", **headers},
        "requestContext": {
            "domainName": "gw.example.com",
            "http": {"method": method, "path": path, "sourceIp": "198.51.100.7"},
            "requestId": "bench",
        },
        "body": body,
    }


def _token(settings: Settings, runtime: Runtime) -> str:
    """Signing in and reading once warms the stores up: the first call of each takes moto long."""
    handler = make_handler(create_app(settings, runtime))
    signed_in = handler(event("POST", SIGN_IN, '{"user": "ada", "roles": ["user"]}'), None)
    headers = signed_in["headers"]
    assert isinstance(headers, dict)
    token = str(headers["tollgate-session-token"])
    read = handler(event("GET", READ, authorization=f"Bearer {token}"), None)
    assert read["statusCode"] == 200, read
    return token


def _environ(runtime: Runtime, endpoint_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": runtime.region,
        "AWS_DEFAULT_REGION": runtime.region,
        "AWS_ACCESS_KEY_ID": "unused",
        "AWS_SECRET_ACCESS_KEY": "unused",
        "TOLLGATE_SESSIONS_TABLE": runtime.sessions_table,
        "TOLLGATE_RATE_LIMITS_TABLE": runtime.rate_limits_table,
        "TOLLGATE_SIGNING_SECRET_ARN": runtime.signing_secret_arn,
        "TOLLGATE_ENVIRONMENT": runtime.environment,
    }


if __name__ == "__main__":
    main()
