"""W3C trace context: a client's trace goes on, or that of the platform, or a new one starts."""

import re
import secrets
from typing import NamedTuple

# https://www.w3.org/TR/trace-context/#traceparent-header. Versions to come may add fields behind.
# Of the flags only `sampled` and `random` are defined; the others must go on as zero.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?"
)
_DEFINED_FLAGS = 0b11

# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
_ROOT = "1-(?!0{8}-0{24})([0-9a-f]{8})-([0-9a-f]{24})"
_SEGMENT = "(?!0{16})[0-9a-f]{16}"


class Trace(NamedTuple):
    """The trace of one call; `parent_id` names the gateway's own part of it.

    `is_new`: the client names no trace, so that its `tracestate` belongs to none.
    """

    trace_id: str
    parent_id: str
    flags: int
    is_new: bool

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags:02x}"


def continued(traceparent: str | None, xray: str = "") -> Trace:
    """The trace that a client's `traceparent` names, else that of `xray`, else a new one."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found and (found[3] is None or not found[0].startswith("00")):
        flags = int(found[2], 16) & _DEFINED_FLAGS
        return Trace(found[1], secrets.token_hex(8), flags, is_new=False)
    begun = Trace(secrets.token_hex(16), secrets.token_hex(8), 0, is_new=True)
    return _traced_by_xray(xray) or begun


def _traced_by_xray(header: str) -> Trace | None:
    """Its parent is the function's own segment, so that what upstreams report hangs below it."""
    fields = dict(field.strip().partition("=")[::2] for field in header.split(";"))
    root, parent = re.fullmatch(_ROOT, fields.get("Root", "")), fields.get("Parent", "")
    if not root:
        return None
    parent_id = parent if re.fullmatch(_SEGMENT, parent) else secrets.token_hex(8)
    return Trace(root[1] + root[2], parent_id, int(fields.get("Sampled") == "1"), is_new=True)
