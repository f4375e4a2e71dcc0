"""A container in a process of its own: `python -m tests.webapp.caller RUNTIME UPSTREAM`.

Reads a list of requests (arguments of the event builder) as a line of JSON, answers with a line: a
list of when each began and ended (monotonic ns), the answer's status, headers, cookies and JSON.
"""

import contextlib
import json
import os
import sys
import time
from typing import Any, TextIO

import msgspec

from tests.webapp.builders import event
from tests.webapp.containers import Answer, routes
from webapp.bridge import Handler, make_handler
from webapp.gateway import create_app
from webapp.settings import Runtime, Settings, Upstream


def answered(handler: Handler, fields: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic_ns()
    answer = Answer(handler(event(**fields), None))  # type: ignore[arg-type]
    ended = time.monotonic_ns()
    is_json = "json" in answer.headers.get("content-type", "")
    return {
        "began": began,
        "ended": ended,
        "status": answer.status,
        "headers": answer.headers,
        "cookies": answer.cookies,
        "json": answer.json if is_json else None,
    }


def main(runtime: str, upstream: str, out: TextIO) -> None:
    service = Upstream(url=upstream, allow_insecure=True)
    settings = Settings(upstreams={"svc": service}, routes=routes())
    app = create_app(settings, msgspec.json.decode(runtime, type=Runtime))
    handler = make_handler(app)
    handler(event(path="/health"), None)
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        answers = [answered(handler, fields) for fields in json.loads(line)]
        print(json.dumps(answers), file=out, flush=True)


if __name__ == "__main__":
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        main(sys.argv[1], sys.argv[2], sys.__stdout__)  # type: ignore[arg-type]
