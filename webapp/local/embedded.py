"""AWS in this process: the gateway's tables and signing secret, on moto."""

import gc
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import botocore.session
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from webapp.local.server import HOST, Respond, serving
from webapp.local.wire import Answer, Request
from webapp.settings import Runtime

REGION = "eu-central-1"


class EmbeddedAws:
    """An account of its own at `endpoint_url`; each `runtime` of it starts with empty tables."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        session = botocore.session.Session()
        self.dynamodb = session.create_client("dynamodb")
        self.secrets_manager = session.create_client("secretsmanager")

    def runtime(
        self, environment: str, *, log_level: str = "INFO", upstream_secrets: Iterable[str] = ()
    ) -> Runtime:
        """What the function's environment would say; `upstream_secrets` names upstreams."""
        suffix = f"{environment}-{secrets.token_hex(4)}"
        return Runtime(
            environment=environment,
            log_level=log_level,
            sessions_table=self._table(f"sessions-{suffix}", "user_id", "session_id"),
            rate_limits_table=self._table(f"rate-limits-{suffix}", "rate_limit_key"),
            signing_secret_arn=self._secret(f"signing-{suffix}", upstream_secrets),
            function_version="$LATEST",
            region=REGION,
        )

    def _table(self, name: str, *keys: str) -> str:
        schema = zip(keys, ("HASH", "RANGE"), strict=False)
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in schema],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def _secret(self, name: str, upstreams: Iterable[str]) -> str:
        keys = {"current": secrets.token_urlsafe(48), "upstreams": _upstream_secrets(upstreams)}
        created = self.secrets_manager.create_secret(Name=name, SecretString=json.dumps(keys))
        return str(created["ARN"])

    def share_secrets(self, runtime: Runtime, upstreams: Iterable[str]) -> None:
        """From now on these upstreams have a secret; the signing key stays."""
        secret = runtime.signing_secret_arn
        held = json.loads(self.secrets_manager.get_secret_value(SecretId=secret)["SecretString"])
        text = json.dumps(held | {"upstreams": _upstream_secrets(upstreams)})
        self.secrets_manager.put_secret_value(SecretId=secret, SecretString=text)


def upstream_secret(name: str) -> str:
    """What proves here that the gateway is asking: known to everybody, the same at every start."""
    return f"tollgate-serve-placeholder-for-{name}"


def _upstream_secrets(names: Iterable[str]) -> dict[str, str]:
    return {name: upstream_secret(name) for name in names}


@contextmanager
def embedded_aws() -> Iterator[EmbeddedAws]:
    """Serves until the block ends; inside it the process environment points every SDK there."""
    with serving(_moto()) as url, _environment(_variables(url)):
        account = EmbeddedAws(url)
        # A collection over all that moto loads can outlast the limiter's patience with its store.
        gc.freeze()
        try:
            yield account
        finally:
            gc.unfreeze()


def _moto() -> Respond:
    """One request at a time: moto itself lets two conditional writes see the same item."""
    app = DomainDispatcherApplication(create_backend_app)
    turn = threading.Lock()

    def respond(request: Request) -> Answer:
        environ = EnvironBuilder(
            request.target, method=request.method, headers=request.fields, data=request.body
        ).get_environ()
        with turn:
            body, status, headers = run_wsgi_app(app, environ, buffered=True)
        return Answer(int(status.split()[0]), tuple(headers), b"".join(body))

    return respond


def _variables(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "embedded",
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Nothing of the developer's own AWS configuration may reach, or be reached from, in here."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
