"""What the gateway says of itself: to programs as OpenAPI, to people as a page."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from webapp.apidocs.openapi import describe
from webapp.apidocs.page import page
from webapp.apidocs.style import STYLE
from webapp.recent import Recent
from webapp.settings import Settings

# A deployed gateway has one public host, or two; one on a developer's machine has more names.
_HOSTS = 8

_STYLE_DIGEST = b64encode(sha256(STYLE.encode()).digest()).decode()

_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'"
        "; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Document(NamedTuple):
    body: bytes
    headers: Mapping[str, str]

    @property
    def etag(self) -> str:
        return sha256(self.body).hexdigest()[:32]


class Documents:
    """Both documents of a stack: made for whoever asks first at a host, then kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: Recent[str, tuple[Document, Document]] = Recent(_HOSTS)

    def openapi(self, host: str) -> Document:
        return self._both(host)[0]

    def page(self, host: str) -> Document:
        return self._both(host)[1]

    def _both(self, host: str) -> tuple[Document, Document]:
        made = self._made.get(host)
        if made is None:
            made = _documents(self._settings, host)
            self._made.put(host, made)
        return made


def _documents(settings: Settings, host: str) -> tuple[Document, Document]:
    description = describe(settings, host)
    text = json.dumps(description, separators=(",", ":"))
    return (
        Document(text.encode(), {"Content-Type": "application/json"}),
        Document(page(description).encode(), _PAGE_HEADERS),
    )
