"""An API Gateway HTTP API in front of a Lambda handler, close enough to develop against."""

import json
import time
from collections.abc import Callable
from typing import Any

from webapp.local import cors as sharing
from webapp.local import payload
from webapp.local.server import Respond
from webapp.local.wire import Answer, Request, message_answer
from webapp.settings.gateway import Cors

Handler = Callable[[object, object], dict[str, Any]]

MAX_HEAD = 10_240
MAX_BODY = 10 * 1024 * 1024
MAX_EVENT = 6_291_556  # bytes of JSON that Lambda takes or gives in one invocation


class Context:
    """What Lambda tells a handler about its invocation."""

    function_name = "local"
    function_version = "$LATEST"
    memory_limit_in_mb = 512

    def __init__(self, request_id: str, seconds: float) -> None:
        self.aws_request_id = request_id
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def http_api(
    handler: Handler,
    cors: Cors,
    *,
    timeout: float = 29,
    clock: Callable[[], int] = time.time_ns,
) -> Respond:
    """Answers HTTP requests by invoking `handler`; for `server.serving` with the limits above."""

    def respond(request: Request) -> Answer:
        if answer := sharing.preflight(cors, request):
            return answer
        event = json.dumps(payload.build_event(request, clock()))
        if len(event) > MAX_EVENT:
            return message_answer(413, "Request Entity Too Large")
        return sharing.share(cors, request, invoke(event))

    def invoke(event: str) -> Answer:
        """Both ways through JSON, as on Lambda: what is not JSON fails here too."""
        parsed = json.loads(event)
        context = Context(parsed["requestContext"]["requestId"], timeout)
        result = json.dumps(handler(parsed, context))
        if len(result) > MAX_EVENT:
            raise ValueError(f"the answer is over {MAX_EVENT} bytes")
        return payload.read_answer(json.loads(result))

    return respond
