"""Handler time of a proxied request, against a pass-through that checks nothing.

Both handlers call one upstream in another process, in turn: `python -m bench.proxy`.
"""

import contextlib
import datetime
import gc
import io
import json
import multiprocessing
import socket
import statistics
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import requests
from apig_wsgi import make_lambda_handler
from flask import Flask, Response, request

from webapp.bridge import make_handler
from webapp.gateway import create_app
from webapp.local.embedded import embedded_aws
from webapp.settings import Policy, Route, SessionSettings, Settings, Upstream

WARM, CALLS, LARGE = 300, 4_000, 25
MIB = 2**20
_PROOF = "X-Proof"
Handler = Callable[[Any, Any], Any]


def main() -> None:
    quiet = contextlib.redirect_stdout(io.StringIO())
    with _upstream() as url, embedded_aws() as aws, quiet:
        gateway, token = _gateway(url, aws.runtime("bench", upstream_secrets=["svc"]))
        naive = _naive(url)
        gc.collect()
        # As the shipped handler does once it has started.
        gc.freeze()
        small = _event("GET", "/items", token)
        ours, theirs = _compare(gateway, naive, small)
        rows = [
            _bodies(name, gateway, naive, token, size) for name, size in (("up", 4), ("down", 4))
        ]
    print(f"{datetime.date.today()}, loopback upstream in a process of its own\n")
    print("| a small proxied request | us | of the pass-through | at most |")
    print("| --- | ---: | ---: | ---: |")
    print(f"| Flask, apig-wsgi, requests.Session | {theirs:.0f} | 1.00 | |")
    print(f"| the gateway, everything on | {ours:.0f} | {ours / theirs:.2f} | 1.00 |\n")
    print(
        "| 4 MiB body | gateway ms | pass-through ms | gateway peak MiB | pass-through peak MiB |"
    )
    print("| --- | ---: | ---: | ---: | ---: |")
    print("\n".join(rows))


def _gateway(url: str, runtime: Any) -> tuple[Handler, str]:
    """Session cached, leased limits by user and in total, an upstream secret, the log line."""
    settings = Settings(
        upstreams={"svc": Upstream(url=url, allow_insecure=True, secret_header=_PROOF)},
        routes=(
            Route(id="login", path="/login", upstream="svc", auth="none", session="issue"),
            Route(id="items", path="/items/{rest+}", upstream="svc"),
            Route(id="list", path="/items", upstream="svc", roles=("user",)),
        ),
        rate_limits=(
            Policy(name="user", key="user", limit=10_000_000, window=60),
            Policy(name="total", key="global", limit=10_000_000, window=60),
        ),
        session=SessionSettings(cache_seconds=60),
    )
    handler = make_handler(create_app(settings, runtime))
    signed_in = handler(_event("POST", "/login", ""), None)
    headers: Any = signed_in["headers"]
    return handler, headers["tollgate-session-token"]


def _naive(url: str) -> Handler:
    """The pass-through that many a first gateway is."""
    app, session = Flask("naive"), requests.Session()

    @app.route("/<path:path>", methods=["GET", "POST"])
    def forward(path: str) -> Response:
        headers = {name: value for name, value in request.headers if name != "Host"}
        answer = session.request(
            request.method, f"{url}/{path}", headers=headers, data=request.get_data(), timeout=10
        )
        return Response(answer.content, answer.status_code, dict(answer.headers))

    handler: Handler = make_lambda_handler(app, binary_support=True)
    return handler


def _event(method: str, path: str, token: str, body: str = "") -> dict[str, Any]:
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7"}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "a=1&b=2",
        "headers": {
            "host": "gw.example.com",
            "accept": "application/json",
            "user-agent": "bench",
            "authorization": f"Bearer {token}",
        },
        "requestContext": {"http": http, "domainName": "gw.example.com", "requestId": "bench-1"},
        "body": body,
        "isBase64Encoded": False,
    }


def _compare(gateway: Handler, naive: Handler, event: Any) -> tuple[float, float]:
    """Medians in microseconds; call by call in turn, so that a busy moment meets both alike."""
    calls = [(_timed(gateway, event), _timed(naive, event)) for _ in range(WARM + CALLS)]
    ours, theirs = (statistics.median(column) for column in zip(*calls[WARM:], strict=True))
    return ours, theirs


def _timed(handler: Handler, event: Any) -> float:
    began = time.perf_counter()
    answer = handler(event, None)
    took = time.perf_counter() - began
    assert answer["statusCode"] == 200, answer
    return took * 1e6


def _bodies(name: str, gateway: Handler, naive: Handler, token: str, mebibytes: int) -> str:
    up = name == "up"
    path, body = ("/items", "x" * mebibytes * MIB) if up else (f"/items/{mebibytes * MIB}", "")
    event = _event("POST" if up else "GET", path, token, body)
    calls = [(_timed(gateway, event), _timed(naive, event)) for _ in range(LARGE)]
    times = [statistics.median(column) / 1000 for column in zip(*calls, strict=True)]
    peaks = [_peak(handler, event) for handler in (gateway, naive)]
    return f"| {name} | {times[0]:.1f} | {times[1]:.1f} | {peaks[0]:.1f} | {peaks[1]:.1f} |"


def _peak(handler: Handler, event: Any) -> float:
    """MiB that one call holds at most at once, beyond what it was given."""
    gc.collect()
    tracemalloc.start()
    handler(event, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MIB


@contextlib.contextmanager
def _upstream() -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    serving = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        serving.kill()
        serving.join()


def _serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse, args=(connection,), daemon=True).start()


def _converse(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = connection.makefile("rb")
    while head := _head(stream):
        stream.read(_length(head))
        last = head[0].split(b" ")[1].partition(b"?")[0].rpartition(b"/")[2]
        body = b"x" * int(last) if last.isdigit() else json.dumps({"items": [1, 2, 3]}).encode()
        kind = b"octet-stream" if last.isdigit() else b"json"
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/" + kind + b"\r\n"
            b"Tollgate-Session-User: ada\r\nTollgate-Session-Roles: user\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )


def _head(stream: Any) -> list[bytes]:
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return lines


def _length(head: list[bytes]) -> int:
    fields = (line.lower().partition(b":") for line in head)
    return next((int(value) for name, _, value in fields if name == b"content-length"), 0)


if __name__ == "__main__":
    main()
