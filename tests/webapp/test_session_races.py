"""Containers in processes of their own that race for sessions in one store."""

import itertools
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.webapp import emulators
from tests.webapp.containers import signing_in
from tests.webapp.upstreams import upstream
from webapp.local.embedded import EmbeddedAws
from webapp.settings import Runtime

pytestmark = pytest.mark.slow

CONTAINERS = 4
ROUNDS = 20
ROOT = Path(__file__).parents[2]

Fields = dict[str, Any]


class Process:
    """A container that answers requests in turn, on its own time."""

    def __init__(self, runtime: Runtime, url: str) -> None:
        command = [sys.executable, "-m", "tests.webapp.caller"]
        command += [msgspec.json.encode(runtime).decode(), url]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def ready(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def begin(self, requests: Sequence[Fields]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(requests) + "\n")
        self._process.stdin.flush()

    def answers(self) -> list[Any]:
        assert self._process.stdout
        answers: list[Any] = json.loads(self._process.stdout.readline())
        return answers

    def __call__(self, *requests: Fields) -> list[Any]:
        self.begin(requests)
        return self.answers()

    def end(self) -> None:
        self._process.communicate()


class Fleet:
    def __init__(self, aws: EmbeddedAws, url: str, ends: ExitStack) -> None:
        self.aws = aws
        self.runtime = aws.runtime("dev")
        self._url = url
        self._ends = ends
        self.processes = self.more(CONTAINERS)

    def more(self, count: int) -> list[Process]:
        made = [Process(self.runtime, self._url) for _ in range(count)]
        for process in made:
            self._ends.callback(process.end)
            process.ready()
        return made

    def race(self, *requests: Sequence[Fields]) -> list[Any]:
        """The answers to requests that as many containers get at once, a sequence each."""
        for process, sequence in zip(self.processes, requests, strict=False):
            process.begin(sequence)
        return [process.answers() for process, _ in zip(self.processes, requests, strict=False)]

    def sign_in(self) -> str:
        (answer,) = self.processes[0](LOGIN)
        return str(answer["headers"]["tollgate-session-token"])

    def live(self) -> int:
        """The sessions of the user but for the one that asks."""
        (answer,) = self.processes[0](get(self.sign_in(), "/auth/sessions"))
        return len(answer["json"]["sessions"]) - 1


@pytest.fixture(scope="module", params=["embedded", "dynamodb_local"])
def account(request: pytest.FixtureRequest, aws: EmbeddedAws) -> Iterator[EmbeddedAws]:
    if request.param == "embedded":
        yield aws
        return
    with emulators.dynamodb_local() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        yield EmbeddedAws(aws.endpoint_url)


@pytest.fixture
def fleet(account: EmbeddedAws) -> Iterator[Fleet]:
    with upstream(signing_in("ada")) as server, ExitStack() as ends:
        yield Fleet(account, server.url, ends)


LOGIN = {"method": "POST", "path": "/login"}


def get(token: str, path: str = "/items", method: str = "GET") -> Fields:
    return {"method": method, "path": path, "headers": {"authorization": f"Bearer {token}"}}


def refresh(token: str) -> Fields:
    return get(token, "/auth/session/refresh", "POST")


def statuses(answers: Sequence[Any]) -> list[int]:
    return [answer["status"] for answer in answers]


def test_refreshing_at_once_leaves_one_session_and_nobody_signed_out(fleet: Fleet) -> None:
    for round in range(ROUNDS):
        old = fleet.sign_in()
        answers = [answer for (answer,) in fleet.race(*[[refresh(old)]] * CONTAINERS)]
        assert statuses(answers) == [200] * CONTAINERS
        (new,) = {answer["headers"]["tollgate-session-token"] for answer in answers}
        assert statuses(fleet.processes[round % CONTAINERS](get(new), get(old))) == [200, 401]
        fleet.processes[0](get(new, "/auth/session", "DELETE"))
    assert fleet.live() == 0


def test_a_session_in_use_ends_everywhere_with_the_answer(fleet: Fleet) -> None:
    for _ in range(ROUNDS):
        token = fleet.sign_in()
        end = [get(token)] * 5 + [get(token, "/auth/session", "DELETE")]
        ending, *using = fleet.race(end, *[[get(token)] * 20] * (CONTAINERS - 1))
        assert statuses(ending) == [200] * 5 + [204]
        uses = [use for answers in using for use in answers]
        assert {use["status"] for use in uses} <= {200, 401}
        late = [use for use in uses if use["began"] > ending[-1]["ended"]]
        assert {use["status"] for use in late} <= {401}
        early = [use for use in uses if use["ended"] < ending[-1]["began"]]
        assert {use["status"] for use in early} <= {200}
        assert statuses(fleet.processes[1](get(token))) == [401]


def test_signing_in_twice_at_once_gives_two_sessions_and_ends_the_old(fleet: Fleet) -> None:
    for _ in range(ROUNDS):
        old = fleet.sign_in()
        again = LOGIN | {"headers": {"authorization": f"Bearer {old}"}}
        answers = [answer for (answer,) in fleet.race(*[[again]] * CONTAINERS)]
        tokens = {answer["headers"]["tollgate-session-token"] for answer in answers}
        assert len(tokens) == CONTAINERS
        assert statuses(fleet.processes[0](*map(get, tokens), get(old))) == [200] * 4 + [401]
        fleet.processes[0](get(tokens.pop(), "/auth/sessions", "DELETE"))


def test_nobody_refreshes_out_of_logging_out_everywhere(fleet: Fleet) -> None:
    for _ in range(ROUNDS):
        tokens = [fleet.sign_in() for _ in range(CONTAINERS)]
        everywhere = [get(tokens[0], "/auth/sessions", "DELETE")]
        others = [[refresh(token)] * 2 for token in tokens[1:]]
        (ended,), *refreshed = fleet.race(everywhere, *others)
        assert ended["status"] == 204
        made = {
            answer["headers"].get("tollgate-session-token", "")
            for answers in refreshed
            for answer in answers
        } - {""}
        assert set(statuses(fleet.processes[0](*map(get, [*tokens, *made])))) == {401}


def test_a_rotation_under_load_signs_nobody_out(fleet: Fleet) -> None:
    client, arn = fleet.aws.secrets_manager, fleet.runtime.signing_secret_arn
    old = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])["current"]
    tokens = [fleet.sign_in() for _ in range(10)]
    load = [get(token) for token in itertools.islice(itertools.cycle(tokens), 100)]
    for process in fleet.processes:
        process.begin(load)
    keys = {"current": secrets.token_urlsafe(48), "previous": old}
    client.put_secret_value(SecretId=arn, SecretString=json.dumps(keys))
    newer = fleet.more(2)
    made = [
        answer["headers"]["tollgate-session-token"]
        for process in newer
        for answer in process(*[LOGIN] * 10)
    ]
    answers = [answer for process in fleet.processes for answer in process.answers()]
    fleet.processes += newer
    for answered in fleet.race(*[[*map(get, tokens + made), *map(refresh, made[:2])]] * 6):
        answers += answered
    refused = [answer for answer in answers if answer["status"] != 200]
    print(f"rotation under load: {len(answers)} requests, {len(refused)} refused")
    assert len(answers) == 4 * 100 + 6 * 32
    assert refused == []
