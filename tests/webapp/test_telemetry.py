import io
import json
import logging
import sys
from typing import Any

import pytest

from tests.webapp.builders import request, route
from tests.webapp.containers import SECOND, Clock
from webapp import tracing
from webapp.call import Call
from webapp.identity import Credential
from webapp.ratelimit import Decision
from webapp.routes import Match
from webapp.sessions import Identity
from webapp.settings import Policy
from webapp.tables import Usage
from webapp.telemetry import RequestLog, log_failure

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ADA = Identity("ada", ("user",), "5e55" * 16, 1_750_000_000, 1_750_003_600)


def call(clock: Clock, **sent: Any) -> Call:
    made = Call(request("GET", "/users", **sent), tracing.continued(TRACE), clock())
    made.match = Match(route(), {})
    return made


def decision(name: str, admitted: bool, mode: str = "enforce") -> Decision:
    return Decision(Policy(name=name, key="ip", limit=1, window=1, mode=mode), admitted, 0, 1)  # type: ignore[arg-type]


class Line:
    """What the log says about a call."""

    def __init__(self, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._log = RequestLog("dev", "7", "0123456789ab", clock)

    def __call__(self, of: Call, status: int = 200) -> dict[str, Any]:
        self._log.write(of, status)
        text = self._capsys.readouterr().out
        assert text.endswith("\n")
        assert text.count("\n") == 1
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.fixture
def line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(clock, capsys)


def test_a_line_has_the_fields_of_the_contract(line: Line, clock: Clock) -> None:
    of = call(clock, request_id="req-7")
    of.identity, of.cold_start, of.usage = ADA, True, Usage(1, 2)
    of.upstream_status, of.upstream_ms, of.circuit = 201, 12.5, "closed"
    clock.advance(0.0205)
    ours = {name: value for name, value in line(of, 201).items() if name[0].islower()}
    assert ours == {
        "timestamp": clock() // 1_000_000,
        "request_id": "req-7",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "route": "users",
        "method": "GET",
        "path": "/users",
        "status": 201,
        "latency_ms": 20.5,
        "upstream": "users",
        "upstream_status": 201,
        "upstream_ms": 12.5,
        "circuit": "closed",
        "user_id": "ada",
        "session": ADA.display_id,
        "client_ip": "198.51.100.7",
        "decision": "passed",
        "policy": None,
        "shadow": None,
        "dynamodb_reads": 1,
        "dynamodb_writes": 2,
        "store_errors": 0,
        "cold_start": True,
        "environment": "dev",
        "function_version": "7",
        "settings": "0123456789ab",
    }


def test_what_was_never_found_out_is_null(line: Line, clock: Clock) -> None:
    of = call(clock, address="")
    of.match, of.code = None, "not_found"
    told = line(of, 404)
    unknown = {name for name, value in told.items() if value is None}
    assert unknown == {
        *("route", "upstream", "upstream_status", "upstream_ms", "circuit"),
        *("user_id", "session", "client_ip", "policy", "shadow"),
    }
    assert (told["decision"], told["status"]) == ("not_found", 404)


def test_an_endpoint_of_the_gateway_has_no_upstream(line: Line, clock: Clock) -> None:
    of = call(clock)
    of.match = Match(route(id="health", upstream=""), {})
    assert line(of)["upstream"] is None


def test_violated_policies_and_those_in_shadow_are_named(line: Line, clock: Clock) -> None:
    of = call(clock)
    of.code, of.violated = "rate_limited", ["a"]
    of.decisions = [
        decision("a", False),
        decision("b", True),
        decision("c", False, "shadow"),
        decision("d", True, "shadow"),
    ]
    told = line(of, 429)
    assert (told["decision"], told["policy"], told["shadow"]) == ("rate_limited", ["a"], ["c"])


def test_nothing_to_sign_in_with_is_in_a_line(line: Line, clock: Clock) -> None:
    of = call(
        clock,
        headers={"authorization": "Bearer tg_canary", "x-api-key": "canary"},
        cookies=["__Host-session=tg_canary", "other=canary"],
        query="token=canary",
        body=b"canary",
    )
    of.credential, of.identity = Credential("tg_canary", True), ADA
    told = json.dumps(line(of))
    assert "canary" not in told
    assert ADA.session_hash not in told


def test_whom_an_open_circuit_keeps_waiting_waited_for_no_upstream(
    line: Line, clock: Clock
) -> None:
    of = call(clock)
    of.upstream_ms, of.circuit, of.code = 0.02, "open", "upstream_unavailable"
    written = line(of, 503)
    assert (written["upstream_ms"], written["circuit"]) == (None, "open")
    assert "UpstreamLatency" not in written


def test_a_path_cannot_break_out_of_its_line(line: Line, clock: Clock) -> None:
    of = call(clock)
    of.request = of.request._replace(path='/a"}\n{"status":200}\u2028')
    assert line(of, 400)["path"] == of.request.path


@pytest.mark.parametrize("path", ["/files/{}/x", "/files/..;{}"])
def test_a_token_in_a_path_is_cut_out_of_it(line: Line, clock: Clock, path: str) -> None:
    token = "tg_WyJhZGEiLCJ4ZExDaG5SZFNOdFhpZ0paTi1lOWg4Y1BpbnA4R3BFb.pTWFBGosjgJ1WS4NrFP3uXD-_cJ"
    of = call(clock)
    for spelt in ("tg_", "TG_", "tg%5F", "tg%255f", "tg\uff3f"):
        of.request = request(path=path.format(spelt + token.removeprefix("tg_")))
        assert line(of)["path"] == path.format("tg_...")
    of.request = request(path="/files/tg_report.pdf")
    assert line(of)["path"] == "/files/tg_report.pdf"


def test_a_line_is_out_before_the_container_freezes(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    RequestLog("dev", "7", "0123456789ab", clock).write(call(clock), 200)
    assert out.getvalue().endswith(b"}\n")


def test_log_levels_do_not_silence_the_lines(line: Line, clock: Clock) -> None:
    logging.disable(logging.CRITICAL)
    try:
        assert line(call(clock))["status"] == 200
    finally:
        logging.disable(logging.NOTSET)


def fail() -> None:
    try:
        raise ValueError("canary-inner")
    except ValueError as error:
        raise RuntimeError("canary-outer") from error


def test_a_failure_is_told_by_types_and_places_only(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError) as failed:
        fail()
    log_failure(failed.value, "req-7")
    (record,) = caplog.records
    told = json.loads(record.getMessage())
    assert (record.name, record.levelname) == ("tollgate", "ERROR")
    assert told["request_id"] == "req-7"
    assert [link["error"] for link in told["failure"]] == ["RuntimeError", "ValueError"]
    assert all("test_telemetry.py" in link["at"][-1] for link in told["failure"])
    assert "canary" not in caplog.text


def test_a_failure_without_an_end_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    log_failure(first, "req-7")
    assert len(json.loads(caplog.records[0].getMessage())["failure"]) == 5


def test_a_clock_of_nanoseconds_makes_milliseconds(line: Line, clock: Clock) -> None:
    of = call(clock)
    clock.now += 1_234_567
    told = line(of)
    assert told["latency_ms"] == 1.235
    assert told["timestamp"] == Clock().now // 10**6 + 1
    assert Clock().now == 1_750_000_000 * SECOND
