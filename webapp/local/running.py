"""A gateway that runs on this machine, with all that surrounds it in the cloud."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from msgspec.structs import replace

from webapp.local.demo import DemoServices, demo_services
from webapp.local.embedded import EmbeddedAws, embedded_aws
from webapp.local.httpapi import MAX_BODY, MAX_HEAD, http_api
from webapp.local.requestline import RequestLines
from webapp.local.server import serving
from webapp.local.wire import Answer, Request
from webapp.settings import Settings
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.settings.read import Configuration


class Running:
    """Answers at `url`, with `chosen` URLs for upstreams and demo services for the rest.

    `demos` are the upstreams with a demo service, `settings` what is in force here.
    """

    url = ""

    def __init__(
        self,
        configuration: Configuration,
        chosen: Mapping[str, str],
        aws: EmbeddedAws,
        services: DemoServices,
        lines: RequestLines,
    ) -> None:
        self.chosen = chosen
        self._aws = aws
        self._services = services
        self._lines = lines
        self.runtime = aws.runtime(configuration.stack.environment)
        self.take(configuration)

    def take(self, configuration: Configuration) -> None:
        """Put another configuration in force: sessions, counters and the address stay.

        A request that is under way ends with the one that it began with.
        """
        # Not at the top: it costs more than reading a broken stack file takes.
        from webapp.bridge import make_handler
        from webapp.gateway import create_app

        given, stack = configuration.settings, configuration.stack
        demos = self._services.urls(given, given.upstreams.keys() - self.chosen.keys())
        settings = localised(given, {**demos, **self.chosen})
        proven = [name for name, upstream in settings.upstreams.items() if upstream.secret_header]
        self._aws.share_secrets(self.runtime, proven)
        self.runtime = replace(
            self.runtime, environment=stack.environment, log_level=stack.log_level
        )
        handler = make_handler(create_app(settings, self.runtime, sink=self._lines.take))
        self.settings, self.demos = settings, demos.keys()
        self._respond = http_api(handler, settings.cors, timeout=stack.timeout)

    def respond(self, request: Request) -> Answer:
        return self._respond(request)

    @property
    def idle(self) -> Collection[str]:
        """Whom `chosen` names although there is no such upstream any more."""
        return self.chosen.keys() - self.settings.upstreams.keys()


@contextmanager
def running(
    configuration: Configuration, port: int, chosen: Mapping[str, str], lines: RequestLines
) -> Iterator[Running]:
    """The gateway until the block ends; `lines` tells about every request that is sent to it."""
    # A container answers one request at a time, and so do its pools; here they overflow unharmed.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    with ExitStack() as parts:
        aws = parts.enter_context(embedded_aws())
        services = parts.enter_context(demo_services())
        gateway = Running(configuration, chosen, aws, services, lines)
        gateway.url = parts.enter_context(_listening(gateway, port, lines))
        yield gateway


@contextmanager
def _listening(gateway: Running, port: int, lines: RequestLines) -> Iterator[str]:
    listening = serving(
        lines.about(gateway.respond),
        port=port,
        max_head=MAX_HEAD,
        max_body=MAX_BODY,
        refused=lines.refused,
    )
    with ExitStack() as server:
        try:
            url = server.enter_context(listening)
        except OSError as error:
            remedy = "choose another port, or 0 for any that is free"
            message = f"cannot listen there ({error.strerror}); {remedy}"
            raise Mistakes([Mistake(f"--port {port}", message)]) from None
        yield url


def localised(settings: Settings, urls: Mapping[str, str]) -> Settings:
    """The same gateway without what needs https or an account: plain upstreams, a plain cookie."""
    upstreams = {
        name: replace(upstream, url=urls[name], allow_insecure=True)
        for name, upstream in settings.upstreams.items()
    }
    plain = settings.session.cookie_name.removeprefix("__Host-")
    session = replace(settings.session, cookie_name=plain)
    return replace(settings, upstreams=upstreams, session=session, edge=False, public_host="")
