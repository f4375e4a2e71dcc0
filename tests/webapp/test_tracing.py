import json
import re
from typing import Any

import pytest

from tests.webapp.containers import container
from webapp.settings import Runtime
from webapp.tracing import continued

ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

ROOT, SEGMENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
XRAY = f"Root={ROOT};Parent={SEGMENT};Sampled=1"
XRAY_ID = "5759e988bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("traceparent", "flags"),
    [
        (f"00-{ID}-{PARENT}-01", "01"),
        (f"00-{ID}-{PARENT}-00", "00"),
        (f"00-{ID}-{PARENT}-03", "03"),
        (f"00-{ID}-{PARENT}-ff", "03"),
        (f"cc-{ID}-{PARENT}-01", "01"),
        (f"cc-{ID}-{PARENT}-01-what-the-future-will-be-like", "01"),
        (f"01-{ID}-{PARENT}-08", "00"),
    ],
)
def test_a_valid_trace_goes_on_under_a_new_parent(traceparent: str, flags: str) -> None:
    trace = continued(traceparent)
    assert trace.traceparent == f"00-{ID}-{trace.parent_id}-{flags}"
    assert re.fullmatch("[0-9a-f]{16}", trace.parent_id)
    assert trace.parent_id != PARENT
    assert not trace.is_new


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        f"00-{ID}-{PARENT}",
        f"00-{ID}-{PARENT}-1",
        f"00-{ID}-{PARENT}-01-",
        f"00-{ID}-{PARENT}-01-more",
        f"00-{ID}-{PARENT}-0x",
        f"ff-{ID}-{PARENT}-01",
        f"cc-{ID}-{PARENT}-01.what-the-future-will-be-like",
        f"0-{ID}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID[1:]}-{PARENT}-01",
        f"00-{ID.upper()}-{PARENT}-01",
        f"00-{ID}-{PARENT.upper()}-01",
        f" 00-{ID}-{PARENT}-01",
        f"00-{ID}-{PARENT}-01\n",
        f"00_{ID}_{PARENT}_01",
        f"00-{ID}-{PARENT}-01,00-{ID}-{PARENT}-01",
    ],
)
def test_anything_else_starts_a_new_trace(traceparent: str | None) -> None:
    trace, other = continued(traceparent), continued(traceparent)
    assert trace.is_new
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace.traceparent)
    assert len({ID, trace.trace_id, other.trace_id}) == 3


@pytest.mark.parametrize(
    ("xray", "flags"),
    [
        (XRAY, "01"),
        (XRAY + ";Lineage=1:a87bd80c:0", "01"),
        (f"Self=1-67891234-{'0' * 24}; Sampled=1; Parent={SEGMENT}; Root={ROOT}", "01"),
        (XRAY.replace("Sampled=1", "Sampled=0"), "00"),
        (XRAY.replace("Sampled=1", "Sampled=?"), "00"),
        (f"Root={ROOT};Parent={SEGMENT}", "00"),
    ],
)
def test_without_a_clients_trace_the_functions_segment_is_the_parent(xray: str, flags: str) -> None:
    trace = continued(None, xray)
    assert trace.traceparent == f"00-{XRAY_ID}-{SEGMENT}-{flags}"
    assert trace.is_new


@pytest.mark.parametrize(
    "parent", ["", ";Parent=", f";Parent={'0' * 16}", ";Parent=53995C3F42CD8AD8"]
)
def test_a_root_without_a_segment_gets_a_parent_of_the_gateways(parent: str) -> None:
    traces = [continued("", f"Root={ROOT}{parent};Sampled=1") for _ in range(2)]
    assert all(re.fullmatch(f"00-{XRAY_ID}-[0-9a-f]{{16}}-01", t.traceparent) for t in traces)
    assert len({*(trace.parent_id for trace in traces), "0" * 16}) == 3


@pytest.mark.parametrize(
    "xray",
    [
        "",
        ";;=;",
        ROOT,
        f"Root={ROOT[:-1]};Parent={SEGMENT};Sampled=1",
        f"Root={ROOT.upper()}A",
        f"Root=2{ROOT[1:]}",
        f"Root={ROOT.replace('-', '')}",
        f"Root=1-{'0' * 8}-{'0' * 24}",
        f"root={ROOT}",
    ],
)
def test_a_bad_root_starts_a_new_trace(xray: str) -> None:
    trace = continued(None, xray)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace.traceparent)
    assert trace.trace_id not in {XRAY_ID, "0" * 32}


def test_a_clients_trace_goes_before_that_of_the_platform() -> None:
    trace = continued(f"00-{ID}-{PARENT}-00", XRAY)
    assert trace.traceparent == f"00-{ID}-{trace.parent_id}-00"
    assert trace.parent_id not in {PARENT, SEGMENT}


def traced(capsys: pytest.CaptureFixture[str], *, tracing: bool, **headers: str) -> tuple[Any, Any]:
    """The trace ids that an upstream and the log are told."""
    with container(Runtime(), tracing=tracing) as gate:
        assert gate(path="/open", headers=headers).status == 200
        told = gate.upstream.last.header("traceparent")
    return told, json.loads(capsys.readouterr().out)["trace_id"]


def test_upstream_and_log_have_the_trace_that_lambda_names_for_each_invocation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with container(Runtime(), tracing=True) as gate:
        for number in (1, 2):
            monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY.replace("5759e988", f"5759e98{number}"))
            gate(path="/open")
            expected = XRAY_ID.replace("5759e988", f"5759e98{number}")
            assert gate.upstream.last.header("traceparent") == f"00-{expected}-{SEGMENT}-01"
            assert json.loads(capsys.readouterr().out)["trace_id"] == expected


def test_what_a_client_says_of_x_ray_is_not_believed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY)
    forged = f"Root=1-67891233-{'a' * 24};Parent={PARENT};Sampled=0"
    told, logged = traced(capsys, tracing=True, **{"x-amzn-trace-id": forged})
    assert told == f"00-{XRAY_ID}-{SEGMENT}-01"
    assert logged == XRAY_ID


def test_a_valid_traceparent_of_the_client_wins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY)
    told, logged = traced(capsys, tracing=True, traceparent=f"00-{ID}-{PARENT}-01")
    assert re.fullmatch(f"00-{ID}-[0-9a-f]{{16}}-01", told)
    assert logged == ID


@pytest.mark.parametrize(("tracing", "variable"), [(False, XRAY), (True, "nonsense")])
def test_without_tracing_or_a_usable_root_a_new_trace_starts(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tracing: bool,
    variable: str,
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", variable)
    told, logged = traced(capsys, tracing=tracing)
    assert re.fullmatch(f"00-{logged}-[0-9a-f]{{16}}-00", told)
    assert logged != XRAY_ID
