"""The mix: people in browsers, programs, a noisy client, and somebody who tries every door.

Reads a Plan as JSON, prints a Report as JSON. In a process of its own: importing locust replaces
the sockets and threads of whoever does so.
"""

import itertools
import sys
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any, ClassVar

import gevent
import msgspec
from locust import FastHttpUser, User, between, constant, task
from locust.env import Environment

from bench.loading.expectation import Seen, owed, unlike
from bench.loading.plan import AMBIGUOUS, ENDED, FORGED, OVER_LIMIT, UNKNOWN, USER, WRONG_ROLE, Plan
from bench.loading.verdict import Entry, Report, Surprise

_NUMBERS = itertools.count(1)
_ARRIVING = 3  # seconds until all callers are there


class Caller(FastHttpUser):
    abstract = True
    wait_time = between(0.5, 1.5)
    plan: ClassVar[Plan]

    def on_start(self) -> None:
        self.name = f"load-{next(_NUMBERS)}"
        self.token = self.plan.token
        self.keep_cookies(False)

    def keep_cookies(self, kept: bool) -> None:
        """Programs bring a token: a cookie beside it would be a second one."""
        self.client.cookiejar.set_policy(DefaultCookiePolicy(allowed_domains=None if kept else ()))

    def ask(self, name: str, method: str, path: str, expected: str = "2xx", **sent: Any) -> Seen:
        """The answer; one that is not `expected` (a status and its code) counts as unexpected."""
        with self.client.request(
            method, path, name=name, catch_response=True, allow_redirects=False, **sent
        ) as answer:
            seen = _seen(answer)
            if wrong := unlike(expected, seen):
                answer.failure(wrong)
            else:
                answer.success()
        return seen

    def bearer(self) -> dict[str, str]:
        """Nothing without a token: an empty one would count as forged."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def sign_in(self, **headers: str) -> None:
        body = self.plan.credentials.replace(USER, self.name)
        sent = {"Content-Type": "application/json", **headers}
        self.keep_token(self.ask("sign in", "POST", self.plan.sign_in, data=body, headers=sent))

    def keep_token(self, seen: Seen) -> None:
        self.token = seen.headers.get("tollgate-session-token", self.token)


def _seen(answer: Any) -> Seen:
    headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
    return Seen(answer.status_code, headers, answer.text or "")


class Visitor(Caller):
    """Somebody who is not signed in."""

    weight = 2

    @task
    def look_around(self) -> None:
        self.ask("health", "GET", "/health")
        if self.plan.public:
            self.ask("public route", "GET", self.plan.public)


class Member(Caller):
    abstract = True

    def on_start(self) -> None:
        super().on_start()
        if self.plan.signs_in:
            self.sign_in()


class Program(Member):
    """Reads most of the time, with a token."""

    weight = 5

    @task(10)
    def read(self) -> None:
        self.ask("read", "GET", self.plan.read, headers=self.bearer())

    @task(2)
    def write(self) -> None:
        if self.plan.write:
            self.ask("write", "POST", self.plan.write, headers=self.bearer(), json={"name": "load"})

    @task
    def own_session(self) -> None:
        self.ask("own session", "GET", "/auth/session", headers=self.bearer())

    @task
    def own_sessions(self) -> None:
        self.ask("own sessions", "GET", "/auth/sessions", headers=self.bearer())

    @task
    def refresh(self) -> None:
        if self.plan.signs_in:
            path = "/auth/session/refresh"
            self.keep_token(self.ask("refresh", "POST", path, headers=self.bearer()))


class Browser(Caller):
    """Holds its session in a cookie; its requests come from the gateway's own pages."""

    weight = 3
    same_site: ClassVar = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}

    def on_start(self) -> None:
        super().on_start()
        self.keep_cookies(True)
        self.sign_in(**self.same_site)

    @task(8)
    def read(self) -> None:
        self.ask("read, cookie", "GET", self.plan.read, headers=self.same_site)

    @task(2)
    def write(self) -> None:
        if self.plan.write:
            body = {"name": "load"}
            self.ask("write, cookie", "POST", self.plan.write, headers=self.same_site, json=body)

    @task
    def refresh(self) -> None:
        self.ask("refresh, cookie", "POST", "/auth/session/refresh", headers=self.same_site)


class Noisy(Member):
    """Asks as fast as it can; once refused it waits as long as it was told, and must pass."""

    fixed_count = 1
    wait_time = constant(0.01)

    @task
    def flood(self) -> None:
        with self.client.get(
            self.plan.read, name="noisy read", catch_response=True, headers=self.bearer()
        ) as answer:
            seen = _seen(answer)
            if seen.status == 429:
                answer.request_meta["name"] = OVER_LIMIT
            if missing := owed(seen):
                answer.failure(missing)
            else:
                answer.success()
        if seen.status == 429:
            gevent.sleep(int(seen.headers.get("retry-after", 1)))
            self.ask("after Retry-After", "GET", self.plan.read, headers=self.bearer())


class Stranger(Caller):
    """Tries what must be refused; slowly, since many forged tokens in a minute are 429."""

    fixed_count = 1
    wait_time = constant(4)

    @task
    def try_every_door(self) -> None:
        forged = {"Authorization": "Bearer tg_forged"}
        self.ask(FORGED, "GET", "/auth/session", "401 invalid_token", headers=forged)
        self.ask(AMBIGUOUS, "GET", "/health//live", "400 ambiguous_path")
        if self.plan.unknown:
            self.ask(UNKNOWN, "GET", self.plan.unknown, "404 not_found")
        if self.plan.signs_in:
            self.sign_in()
            self.overstep()
            self.leave()

    def overstep(self) -> None:
        if self.plan.forbidden:
            path = self.plan.forbidden
            self.ask(WRONG_ROLE, "GET", path, "403 forbidden", headers=self.bearer())

    def leave(self) -> None:
        if self.plan.sign_out:
            self.ask("sign out", "POST", self.plan.sign_out, headers=self.bearer())
        else:
            self.ask("sign out", "DELETE", "/auth/session", headers=self.bearer())
        self.ask(ENDED, "GET", "/auth/session", "401 session_revoked", headers=self.bearer())


def callers(plan: Plan) -> list[type[User]]:
    if plan.signs_in:
        return [Visitor, Program, Browser, Noisy, Stranger]
    return [Visitor, Program, Stranger] if plan.token and plan.read else [Visitor, Stranger]


def played(plan: Plan) -> Report:
    Caller.plan = plan
    environment = Environment(user_classes=callers(plan), host=plan.url, stop_timeout=30)
    runner = environment.create_local_runner()
    began = time.monotonic()
    runner.start(plan.users, spawn_rate=plan.users / _ARRIVING)
    gevent.sleep(plan.seconds)
    runner.stop()
    failed = [Surprise("the load itself", f["msg"], f["count"]) for f in runner.exceptions.values()]
    return Report(
        seconds=round(time.monotonic() - began, 1),
        entries=_entries(environment.stats),
        surprises=[*_surprises(environment.stats), *failed],
    )


def _entries(stats: Any) -> list[Entry]:
    return [
        Entry(entry.name, entry.num_requests, entry.num_failures, dict(entry.response_times))
        for entry in sorted(stats.entries.values(), key=lambda entry: entry.name)
    ]


def _surprises(stats: Any) -> list[Surprise]:
    errors = stats.errors.values()
    return [Surprise(error.name, str(error.error), error.occurrences) for error in errors]


if __name__ == "__main__":
    report = played(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan))
    sys.stdout.buffer.write(msgspec.json.encode(report))
