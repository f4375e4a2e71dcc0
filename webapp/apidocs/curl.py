"""Curl lines that work when pasted into a shell."""

import re
import shlex

from webapp.apidocs.schemas import Json

_BEARER = '-H "Authorization: Bearer $TOKEN"'
_BODY = "-H 'Content-Type: application/json' -d '{}'"

# The header's name in whatever case it comes.
_PICK = """tr -d '\\r' | awk 'tolower($1) == "tollgate-session-token:" {print $2}'"""


def call(server: str, path: str, method: str, operation: Json) -> str:
    """Every placeholder of the path is 1, and every body an empty object."""
    given = ["curl", "-I" if method == "HEAD" else "-i", *_method(method, operation)]
    return " ".join([*given, *_credentials(operation), *_rest(server, path, operation)])


def token(server: str, path: str, method: str, operation: Json) -> str:
    """Keeps the answer's token in the variable that all other lines use, and shows it."""
    quiet = ["curl", "-s", "-o", "/dev/null", "-D", "-", *_method(method, operation)]
    line = " ".join([*quiet, *_credentials(operation), *_rest(server, path, operation)])
    return keeping_token(line)


def keeping_token(line: str) -> str:
    """Of a line that prints the heads of an answer: their token, kept in TOKEN, and shown."""
    return f"""TOKEN=$({line} | {_PICK}); echo "$TOKEN\""""


def _method(method: str, operation: Json) -> list[str]:
    implied = "POST" if "requestBody" in operation else "GET"
    return [] if method in (implied, "HEAD") else ["-X", method]


def _credentials(operation: Json) -> list[str]:
    demanded = operation["security"] and {} not in operation["security"]
    return [_BEARER] if demanded or operation.get("x-tollgate-session") == "end" else []


def _rest(server: str, path: str, operation: Json) -> list[str]:
    url = shlex.quote(server + re.sub(r"\{[^}]*\}", "1", path))
    return [_BODY, url] if "requestBody" in operation else [url]
