import shlex
from typing import Any

import pytest

from webapp.apidocs import curl

SERVER = "https://api.example.com"
OPEN: dict[str, Any] = {"security": []}
SIGNED_IN: dict[str, Any] = {"security": [{"bearer": []}]}
BODY: dict[str, Any] = {"requestBody": {}}


@pytest.mark.parametrize(
    ("method", "path", "operation", "line"),
    [
        ("GET", "/a", OPEN, "curl -i https://api.example.com/a"),
        ("HEAD", "/a", OPEN, "curl -I https://api.example.com/a"),
        ("DELETE", "/a", OPEN, "curl -i -X DELETE https://api.example.com/a"),
        ("POST", "/a", OPEN, "curl -i -X POST https://api.example.com/a"),
        (
            "POST",
            "/a",
            OPEN | BODY,
            "curl -i -H 'Content-Type: application/json' -d '{}' https://api.example.com/a",
        ),
        (
            "PUT",
            "/a/{x}/{y}",
            OPEN | BODY,
            "curl -i -X PUT -H 'Content-Type: application/json' -d '{}'"
            " https://api.example.com/a/1/1",
        ),
        (
            "GET",
            "/a",
            SIGNED_IN,
            'curl -i -H "Authorization: Bearer $TOKEN" https://api.example.com/a',
        ),
        ("GET", "/a", {"security": [{}, {"bearer": []}]}, "curl -i https://api.example.com/a"),
        (
            "POST",
            "/a",
            OPEN | {"x-tollgate-session": "end"},
            'curl -i -X POST -H "Authorization: Bearer $TOKEN" https://api.example.com/a',
        ),
        ("GET", "/a'!$(id)", OPEN, """curl -i 'https://api.example.com/a'"'"'!$(id)'"""),
    ],
)
def test_a_call_is_a_line_to_paste(
    method: str, path: str, operation: dict[str, Any], line: str
) -> None:
    assert curl.call(SERVER, path, method, operation) == line


def test_nothing_of_a_path_is_read_by_the_shell() -> None:
    path = "/~a!$&'()*+,=:@"
    assert shlex.split(curl.call(SERVER, path, "GET", OPEN)) == ["curl", "-i", SERVER + path]
