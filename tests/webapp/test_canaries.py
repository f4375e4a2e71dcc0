import json
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer

from tests.webapp import containers
from tests.webapp.containers import Container, container
from tests.webapp.faults import Faults, failure
from tests.webapp.upstreams import answering, raw_answer
from webapp.local.embedded import EmbeddedAws
from webapp.local.wire import Answer
from webapp.sessions import key_of
from webapp.settings import Policy
from webapp.tokens import PREFIX, Token

FORM = "user=ada&password=canary-form"
PAGE = "<p>canary-page</p>"
BASIC = "Basic Y2FuYXJ5LWJhc2lj"
COOKIE = "canary-cookie"
QUERY = "canary-query"
API_KEY = "canary-api-key"

SAID = (f"X-Said: {COOKIE}", f"Set-Cookie: theirs={COOKIE}")
SIGNED_IN = raw_answer("200 OK", PAGE.encode(), "Tollgate-Session-User: ada", *SAID)


class Stage:
    """A container, and whatever nobody may read in what it says: `canaries`."""

    def __init__(self, gate: Container, faults: Faults, held: dict[str, Any]) -> None:
        self.gate = gate
        self.faults = faults
        self.canaries = {held["current"], held["previous"], *held["upstreams"].values()}
        self.canaries |= {"canary-form", "canary-page", BASIC, COOKIE, QUERY, API_KEY}
        gate.upstream.script = answering(raw_answer("200 OK", PAGE.encode(), *SAID))

    def ask(self, method: str, path: str, *cookies: str, **headers: str) -> containers.Answer:
        headers = {"origin": "https://gw.example.com", "x-api-key": API_KEY, **headers}
        answer = self.gate(
            method,
            path,
            query=QUERY,
            headers=headers,
            cookies=[f"other={COOKIE}", *cookies],
            body=FORM.encode(),
        )
        self.hide(answer.headers.get("tollgate-session-token", ""))
        for cookie in answer.cookies:
            self.hide(cookie.partition("__Host-session=")[2].partition(";")[0])
        return answer

    def hide(self, token: str) -> str:
        """Neither the token nor its signature nor what finds its row may be read."""
        if token:
            _, fields = URLSafeSerializer("").loads_unsafe(token.removeprefix(PREFIX))
            known = Token(*fields)
            self.canaries |= {token, token[-43:], known.session_id, key_of(known).session_hash}
        return token

    def sign_in(self) -> str:
        script, self.gate.upstream.script = self.gate.upstream.script, answering(SIGNED_IN)
        answer = self.ask("POST", "/login")
        self.gate.upstream.script = script
        return answer.headers["tollgate-session-token"]

    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.sign_in()}"}


@pytest.fixture
def stage(aws: EmbeddedAws, faults: Faults) -> Iterator[Stage]:
    runtime = aws.runtime("dev", log_level="DEBUG")
    current, previous, ours, others = (secrets.token_urlsafe(48) for _ in range(4))
    held = {"current": current, "previous": previous, "upstreams": {"svc": ours, "b": others}}
    aws.secrets_manager.put_secret_value(
        SecretId=runtime.signing_secret_arn, SecretString=json.dumps(held)
    )
    policy = Policy(name="per-user", key="user", limit=100, window=60)
    with container(runtime, policy, svc={"secret_header": "X-Proof"}) as gate:
        yield Stage(gate, faults, held)


class Listener(logging.Handler):
    """Hears every record, its arguments and its traceback, as Lambda's own handler would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name} {self.format(record)} {record.args}")


@pytest.fixture
def listener() -> Iterator[Listener]:
    """With every logger that there is set to DEBUG by itself."""
    root, made = logging.getLogger(), Listener()
    loggers = [root, *map(logging.getLogger, root.manager.loggerDict)]
    levels = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    root.addHandler(made)
    yield made
    root.removeHandler(made)
    for logger, level in levels:
        logger.setLevel(level)


def sessions_come_and_go(stage: Stage) -> None:
    token = stage.sign_in()
    stage.ask("GET", "/items", authorization=f"Bearer {token}")
    stage.ask("POST", "/items", f"__Host-session={token}")
    renewed = stage.ask("POST", "/auth/session/refresh", f"__Host-session={token}")
    assert renewed.status == 200
    stage.ask("GET", "/items", f"__Host-session={token}")
    stage.ask("GET", "/auth/sessions", **stage.bearer())
    stage.ask("DELETE", "/auth/sessions", **stage.bearer())
    stage.ask("POST", "/logout", f"__Host-session={stage.sign_in()}")


def a_session_ends_soon(stage: Stage) -> None:
    token = stage.sign_in()
    stage.gate.clock.advance(3500)
    assert stage.ask("GET", "/items", f"__Host-session={token}").cookies
    stage.gate.clock.advance(3500)
    assert stage.ask("GET", "/items", f"__Host-session={token}").code == "session_expired"


def credentials_are_bad(stage: Stage) -> None:
    token = stage.sign_in()
    forged = stage.hide(token[:-5] + ("AAAAA" if token[-5:] != "AAAAA" else "AAAAE"))
    assert stage.ask("GET", "/items", f"__Host-session={forged}").code == "invalid_token"
    stage.ask("GET", "/items", f"__Host-session={token}", authorization=f"Bearer {forged}")
    stage.ask("GET", "/items", authorization=BASIC)
    stage.ask("GET", "/open", authorization=BASIC)
    stage.ask("GET", f"/files/{token}", authorization=f"Bearer {token}")
    stage.ask("GET", f"/files/{token}/..")
    for _ in range(25):
        answer = stage.ask("GET", "/items", authorization=f"Bearer {forged}")
    assert answer.status == 429


def stores_fail(stage: Stage) -> None:
    token = stage.sign_in()
    nonsense = Answer(200, (), f'{{"Item": "{PAGE}'.encode())
    for failing in (failure("AccessDeniedException"), nonsense):
        stage.faults.failing = failing
        stage.ask("GET", "/items", f"__Host-session={token}")
        stage.ask("POST", "/auth/session/refresh", authorization=f"Bearer {token}")
        stage.ask("POST", "/login")


def the_secret_cannot_be_read(stage: Stage) -> None:
    stage.faults.failing = failure("AccessDeniedException")
    forged = {"authorization": f"Bearer {PREFIX}{API_KEY}.{'A' * 43}"}
    assert stage.ask("GET", "/items", **forged).code == "signing_key_unavailable"


def upstreams_fail(stage: Stage) -> None:
    bearer = stage.bearer()
    page = PAGE.encode()
    for answer in (
        raw_answer("500 Internal Server Error", page, *SAID),
        raw_answer("200 OK", page, "Set-Cookie: __Host-session=canary-page", f"{COOKIE}"),
        raw_answer("200 OK", page, f"X-Bad: {COOKIE}\x00"),
        raw_answer("200 OK", page, f"Tollgate-Session-User: {COOKIE}/"),
        raw_answer("200 OK", page)[:-4],
        page,
        b"",
    ):
        stage.gate.upstream.script = closing(answer)
        stage.ask("GET", "/items", **bearer)
        stage.ask("POST", "/login")
        stage.gate.clock.advance(11)


def closing(answer: bytes) -> Any:
    def script(connection: Any, _received: object) -> None:
        connection.sendall(answer)
        connection.shutdown(2)

    return script


@pytest.mark.parametrize(
    "happening",
    [
        sessions_come_and_go,
        a_session_ends_soon,
        credentials_are_bad,
        stores_fail,
        the_secret_cannot_be_read,
        upstreams_fail,
    ],
)
def test_no_secret_is_said_whatever_happens(
    stage: Stage,
    listener: Listener,
    capsys: pytest.CaptureFixture[str],
    happening: Callable[[Stage], None],
) -> None:
    happening(stage)
    out, err = capsys.readouterr()
    assert '"decision":' in out
    said = out + err + "\n".join(listener.said)
    assert [canary for canary in stage.canaries if canary in said] == []


@pytest.mark.parametrize(
    "place",
    [
        "webapp.routes.Router.find",
        "webapp.sessions.Sessions.read",
        "webapp.proxy.Proxy.exchange",
        "webapp.telemetry.RequestLog.write",
        "webapp.bridge._readable",
    ],
)
def test_no_secret_is_said_by_an_error_that_nobody_expected(
    stage: Stage,
    listener: Listener,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    bearer = stage.bearer()

    def broken(*_: object, **__: object) -> None:
        try:
            raise ValueError(*stage.canaries)
        except ValueError as error:
            raise RuntimeError(*stage.canaries) from error

    monkeypatch.setattr(place, broken)
    assert stage.ask("GET", "/items", **bearer).status == 500
    out, err = capsys.readouterr()
    said = out + err + "\n".join(listener.said)
    assert "RuntimeError" in said
    assert [canary for canary in stage.canaries if canary in said] == []


def test_warnings_of_libraries_are_heard(listener: Listener) -> None:
    for name in ("botocore.endpoint", "pynamodb.models", "urllib3.connectionpool"):
        logging.getLogger(name).info("quiet")
        logging.getLogger(name).warning("aloud")
    assert [said.split()[1] for said in listener.said] == ["aloud"] * 3
