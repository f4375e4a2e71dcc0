"""The gateway: the path that every request takes, and what a container keeps between requests."""

import json
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Flask, Response
from flask import request as flask_request
from werkzeug.datastructures import Headers

from webapp import ratelimit, tracing
from webapp.addresses import Networks
from webapp.authentication import Authentication
from webapp.call import Call
from webapp.counters import MemoryCounters
from webapp.edge import Edge
from webapp.endpoints import ENDPOINTS, is_limited, own_routes
from webapp.errors import Problem
from webapp.events import Request
from webapp.forwarding import Passport, outgoing
from webapp.gcra import NANOSECONDS
from webapp.guards import FailedSignIns, ForgedTokens
from webapp.keys import Keys
from webapp.ledger import DynamoCounters
from webapp.proxy import Proxy
from webapp.ratelimit import Limit, Limiter
from webapp.readiness import Readiness
from webapp.refresh import Refresh
from webapp.relaying import Relayed, answered_headers
from webapp.routes import Router
from webapp.sessions import Sessions
from webapp.settings import Runtime, Settings, digest, xray_trace
from webapp.signin import SignIn
from webapp.tables import Stores, usage
from webapp.telemetry import RequestLog, Sink, log_failure, to_stdout
from webapp.tokens import Tokens

if TYPE_CHECKING:
    from webapp.apidocs import Documents

Clock = Callable[[], int]


class Gateway:
    """Built once per container; nothing here reaches for the network before a request does."""

    def __init__(self, settings: Settings, runtime: Runtime, clock: Clock, sink: Sink) -> None:
        self.settings = settings
        self.runtime = runtime
        self.clock = clock
        stores = Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)
        self.keys = Keys(stores, runtime.signing_secret_arn, clock)
        self.tokens = Tokens(self.keys, clock)
        self.sessions = Sessions(stores, settings.session, clock)
        self.refresh = Refresh(self.sessions, settings.session)
        self.readiness = Readiness(stores, self.keys, clock)
        failures = FailedSignIns(stores, settings.sign_in_guard, clock)
        self.sign_in = SignIn(self.sessions, self.tokens, failures, settings.session)
        self.authentication = Authentication(
            self.tokens, self.sessions, ForgedTokens(clock), settings
        )
        self.edge = Edge(self.keys)
        self.router = Router((*own_routes(settings), *settings.routes))
        self.deny_from = Networks(settings.deny_from)
        self.limiter = Limiter(
            settings.rate_limits,
            lambda lifetime: DynamoCounters(
                lambda: stores.limits, runtime.rate_limits_table, lifetime, clock
            ),
            MemoryCounters(),
            clock,
        )
        self.proxies = {
            name: Proxy(upstream, clock) for name, upstream in settings.upstreams.items()
        }
        self.log = RequestLog(
            runtime.environment,
            runtime.function_version,
            digest(settings),
            clock,
            by_route=settings.metrics_by_route,
            sink=sink,
        )
        self.cold = True

    def answer(self, call: Call) -> Response:
        """The steps that every request passes, in this order; `webapp` explains them.

        A step that refuses raises a Problem; what earlier steps counted stays counted.
        """
        request = call.request
        # 1. event, path and head; behind the edge, its proof
        if request.refusal:
            raise request.refusal
        if self.settings.edge:
            call.request = request = self.edge.admit(request)
        # 2. addresses that nobody wants
        if request.address in self.deny_from:
            raise Problem("forbidden", "This address may not use the gateway.")
        # 3. route: path, address, method, size
        call.match = self.router.find(request.method, request.path, request.address)
        if len(request.body) > call.route.max_body_bytes:
            raise Problem("body_too_large", "The body is larger than this route takes.")
        # 4. limits by address
        self._limit(call, self.limiter.by_address(call.route, call.caller))
        # 5. identity: credentials, same site, roles
        self.authentication.identify(call)
        # 6. limits by caller
        self._limit(call, self.limiter.by_caller(call.route, call.caller))
        self.sign_in.admit(call)
        # 7. the endpoint or the upstream
        if call.route.upstream:
            return self._forward(call)
        return ENDPOINTS[call.route.id][1](self, call)

    @cached_property
    def documents(self) -> "Documents":
        """Loaded for whoever asks for them: no cold start pays for that."""
        from webapp.apidocs import Documents

        return Documents(self.settings)

    def _limit(self, call: Call, limits: Sequence[Limit]) -> None:
        if not is_limited(call.route):
            return
        decisions = self.limiter.decide(limits, call.caller)
        call.decisions += decisions
        if violated := ratelimit.violations(decisions):
            raise ratelimit.refusal(violated)

    def _forward(self, call: Call) -> Response:
        upstream = self.settings.upstreams[call.route.upstream]
        secret = self.keys.secrets().upstreams if upstream.secret_header else {}
        passport = Passport(call.identity, call.trace, secret.get(call.route.upstream))
        assert call.match is not None
        sent = outgoing(call.request, call.match, self.settings, passport)
        proxy = self.proxies[call.route.upstream]
        started = self.clock()
        try:
            answer = proxy.exchange(sent, self._timeout(call))
        finally:
            call.upstream_ms = round((self.clock() - started) / 1e6, 3)
            call.circuit = proxy.circuit.state
        call.upstream_status = answer.status
        headers = answered_headers(answer.headers, call.request, upstream, self.settings)
        response = Relayed(answer.status, headers, answer.body)
        response.headers.update(self.sign_in.headers(call, answer))
        return response

    def _timeout(self, call: Call) -> float:
        timeout = call.route.timeout or self.settings.upstreams[call.route.upstream].timeout
        if call.remaining is None:
            return timeout
        spent = (self.clock() - call.started) / NANOSECONDS
        return min(timeout, max(call.remaining - spent - 1, 0))

    def refuse(self, call: Call, problem: Problem) -> Response:
        call.code = problem.code
        call.violated = problem.violated
        response = self.json(problem.document(call.request.id), problem.status)
        response.headers.update(problem.headers)
        response.content_type = "application/problem+json"
        return response

    def finish(self, call: Call, response: Response) -> Response:
        """What every answer carries, and the log line."""
        response.headers["X-Request-Id"] = call.request.id
        if call.cookie:
            response.headers.add("Set-Cookie", call.cookie)
            response.headers["Cache-Control"] = "no-store"
        if call.match and is_limited(call.route):
            policies = self.limiter.policies(call.route, call.caller)
            _prepend(response.headers, "RateLimit-Policy", ratelimit.policy_field(policies))
            _prepend(response.headers, "RateLimit", ratelimit.limit_field(call.decisions))
        self.log.write(call, response.status_code)
        return response

    def json(self, document: object, status: int = 200) -> Response:
        text = json.dumps(document, separators=(",", ":"))
        return Response(text, status, content_type="application/json")


def _prepend(headers: Headers, name: str, value: str) -> None:
    if value:
        headers[name] = ", ".join(filter(None, (value, headers.get(name))))


def create_app(
    settings: Settings, runtime: Runtime, *, clock: Clock = time.time_ns, sink: Sink = to_stdout
) -> Flask:
    """The WSGI application of one container.

    `clock` tells nanoseconds since the epoch, `sink` takes the line about each request.
    """
    gateway = Gateway(settings, runtime, clock, sink)
    app = Flask("webapp", static_folder=None)
    # Its tracebacks hold the texts of errors, which may hold secrets; `fail` logs without them.
    app.logger.disabled = True

    def call() -> Call:
        found: Call = flask_request.environ["tollgate.call"]
        return found

    @app.before_request
    def answer() -> Response:
        flask_request.environ["tollgate.call"] = begun = _begin(gateway)
        return gateway.answer(begun)

    @app.errorhandler(Problem)
    def refuse(problem: Problem) -> Response:
        return gateway.refuse(call(), problem)

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        log_failure(getattr(error, "original_exception", None) or error, call().request.id)
        return gateway.refuse(call(), Problem("internal_error", "The gateway failed."))

    @app.after_request
    def finish(response: Response) -> Response:
        return gateway.finish(call(), response)

    return app


def _begin(gateway: Gateway) -> Call:
    environ = flask_request.environ
    request: Request = environ["apig_wsgi.full_event"]["request"]
    context = environ.get("apig_wsgi.context")
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    call = Call(
        request=request,
        trace=tracing.continued(
            request.header("traceparent"), xray_trace() if gateway.settings.tracing else ""
        ),
        started=gateway.clock(),
        remaining=remaining() / 1000 if remaining else None,
        cold_start=gateway.cold,
    )
    gateway.cold = False
    usage.set(call.usage)
    return call
