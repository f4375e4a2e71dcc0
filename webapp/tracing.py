"""W3C trace context: a client's trace goes on under a new parent, or a new one starts."""

import re
import secrets
from typing import NamedTuple

# https://www.w3.org/TR/trace-context/#traceparent-header. Versions to come may add fields behind.
# Of the flags only `sampled` and `random` are defined; the others must go on as zero.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?"
)
_DEFINED_FLAGS = 0b11


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


def continued(traceparent: str | None) -> Trace:
    """The trace that a client's `traceparent` names, or a new one where it is missing or bad."""
    parent_id = secrets.token_hex(8)
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found and (found[3] is None or not found[0].startswith("00")):
        return Trace(found[1], parent_id, int(found[2], 16) & _DEFINED_FLAGS, is_new=False)
    return Trace(secrets.token_hex(16), parent_id, 0, is_new=True)
