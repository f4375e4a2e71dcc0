"""Entries of the page: what can be called at a path, by whom, how often."""

import re
from html import escape
from itertools import groupby
from typing import NamedTuple

from webapp.apidocs import curl
from webapp.apidocs.builtin import SERVICES
from webapp.apidocs.schemas import Json
from webapp.endpoints import REFRESH


class Call(NamedTuple):
    """An operation of the description, and where it is."""

    path: str
    method: str
    operation: Json

    @property
    def policies(self) -> list[str]:
        return [*self.operation.get("x-tollgate-policies", ())]


class Entry(NamedTuple):
    """Calls at one path that are alike in who may make them, and how often."""

    calls: tuple[Call, ...]

    @property
    def path(self) -> str:
        return self.calls[0].path

    @property
    def operation(self) -> Json:
        return self.calls[0].operation

    @property
    def tag(self) -> str:
        return str(self.operation["tags"][0])

    @property
    def anchor(self) -> str:
        return str(self.operation["operationId"])


def calls(description: Json) -> list[Call]:
    return [
        Call(path, method.upper(), operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
    ]


def entries(description: Json) -> list[Entry]:
    alike = groupby(
        calls(description),
        key=lambda call: (call.path, call.operation["description"], call.policies),
    )
    return [Entry(tuple(group)) for _, group in alike]


def full(entry: Entry, description: Json) -> str:
    server = description["servers"][0]["url"]
    lines = "".join(_line(call, server) for call in entry.calls)
    facts = "".join(
        f"<div><dt>{name}</dt><dd>{text}</dd></div>"
        for name, text in _facts(entry, description).items()
        if text
    )
    return (
        f'<article id="{escape(entry.anchor)}"><h3><code>{shown(entry.path)}</code></h3>'
        f"<p>{escape(entry.operation['description'])}</p><ul>{lines}</ul><dl>{facts}</dl>"
        "</article>\n"
    )


def brief(entry: Entry) -> str:
    methods = " ".join(call.method for call in entry.calls)
    limits = f" Limits: {', '.join(entry.calls[0].policies)}." if entry.calls[0].policies else ""
    return (
        f"<li><code>{shown(entry.path)}</code> {methods}<br>"
        f"{escape(entry.operation['description'])}{escape(limits)}</li>\n"
    )


def shown(path: str) -> str:
    """With its placeholders set apart."""
    return re.sub(r"(\{[^}]*\})", r"<var>\1</var>", pasted(path))


def pasted(text: str) -> str:
    """Text that is copied as it is, but breaks at slashes rather than between - and a letter."""
    text = re.sub("(?<!/)/(?!/)", "/<wbr>", escape(text, quote=False))
    return re.sub(r"(?<= )-[A-Za-z](?= )", r"<i>\g<0></i>", text)


def _line(call: Call, server: str) -> str:
    summary = "" if SERVICES in call.operation["tags"] else escape(call.operation["summary"])
    # The old token is dead then: the lines that follow need the new one.
    refresh = call.operation["operationId"] == f"tollgate.{REFRESH}"
    line = (curl.token if refresh else curl.call)(server, *call)
    return f"<li>{_badge(call.method)}<div>{summary}<pre>{pasted(line)}</pre></div></li>"


def _badge(method: str) -> str:
    return f'<b class="{method.lower()}">{method}</b>'


def _facts(entry: Entry, description: Json) -> dict[str, str]:
    policies = description["x-tollgate-policies"]
    bodies = dict.fromkeys(
        call.operation["requestBody"]["description"]
        for call in entry.calls
        if "requestBody" in call.operation
    )
    statuses = sorted({key for call in entry.calls for key in call.operation["responses"]})
    return {
        "Limits": "<br>".join(
            escape(policies[name]["description"]) for name in entry.calls[0].policies
        ),
        "Body": escape(" ".join(bodies)),
        '<a href="#errors">Errors</a>': " ".join(
            key for key in statuses if key.isdecimal() and key >= "400"
        ),
    }
