"""The gateway's own refusals, answered as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

STATUS = {
    "bad_request": 400,
    "ambiguous_path": 400,
    "conflicting_credentials": 400,
    "missing_token": 401,
    "invalid_token": 401,
    "session_expired": 401,
    "session_revoked": 401,
    "forbidden": 403,
    "cross_site_request": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "headers_too_large": 431,
    "rate_limited": 429,
    "internal_error": 500,
    "upstream_unreachable": 502,
    "upstream_invalid_response": 502,
    "upstream_response_too_large": 502,
    "session_store_unavailable": 503,
    "rate_limit_store_unavailable": 503,
    "signing_key_unavailable": 503,
    "upstream_unavailable": 503,
    "upstream_timeout": 504,
}

# draft-ietf-httpapi-ratelimit-headers-11, section 5 registers this type with `violated-policies`.
TYPES = {"rate_limited": "https://iana.org/assignments/http-problem-types#quota-exceeded"}


class Problem(Exception):
    """A refusal that the client sees.

    `detail` is shown to the client: it names no upstream, library or secret. `headers` go with the
    answer, `members` into the body beside the standard ones.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.status = STATUS[code]
        self.headers = self._standard_headers() | dict(headers or {})
        self.members = dict(members or {})

    def _standard_headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.status == 503:
            headers["Retry-After"] = "1"
        return headers

    @property
    def violated(self) -> list[str]:
        """The policies and guards that refused, by name."""
        names = self.members.get("violated-policies", [])
        assert isinstance(names, list)
        return names

    def document(self, request_id: str) -> dict[str, object]:
        """The JSON body: standard members, `code`, `request_id` and those of this problem."""
        return {
            "type": TYPES.get(self.code, "about:blank"),
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
            **self.members,
        }
