import re

import pytest

from webapp.tracing import continued

ID, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


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
