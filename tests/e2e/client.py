"""An HTTP client of the emulated HTTP API."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """`host` names the API, wherever the emulator listens."""

    def __init__(self, url: str, host: str) -> None:
        self._address = urlsplit(url).netloc
        self._host = host

    def request(
        self, method: str, path: str, *, token: str = "", document: object = None
    ) -> Answer:
        headers = {"Host": self._host}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if document is not None:
            headers["Content-Type"] = "application/json"
        body = None if document is None else json.dumps(document)
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, fields, answer.read())
        finally:
            connection.close()

    def sign_in(self, user: str, *roles: str) -> str:
        """The new session's token."""
        credentials = {"user": user, "roles": list(roles)}
        answer = self.request("POST", "/api/v1/login", document=credentials)
        assert answer.status == 200, answer.body
        return answer.headers["tollgate-session-token"]
