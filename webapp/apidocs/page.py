"""The page for people, made of nothing but the description."""

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import NamedTuple

from webapp.apidocs import curl, entries
from webapp.apidocs.entries import Entry
from webapp.apidocs.schemas import Json
from webapp.apidocs.style import STYLE
from webapp.apidocs.words import MEANINGS
from webapp.errors import STATUS

Row = tuple[str, str]

# In a larger page the services' calls have no examples.
LARGEST = 60_000

_BRIEF = """\
<p class="note">These are too many to show each with an example; \
<a href="/openapi.json">openapi.json</a> has all of them in full.</p>
"""

_LIMITS = """\
<p>An answer tells what is left in <code>RateLimit</code>, and the limits themselves in \
<code>RateLimit-Policy</code>. Beyond them it is 429; whoever waits as many seconds as \
<code>Retry-After</code> says gets through. Who is not signed in is counted by address.</p>
"""

_ERRORS = """\
<p>What the gateway refuses is <code>application/problem+json</code> with one of these in \
<code>code</code>, and a <code>request_id</code> to report. A service may answer with any status \
in words of its own. 429, 413, 431, 500 and 503 may also come from API Gateway, as \
<code>{"message": "..."}</code>.</p>
"""

_SIGN_IN = """\
<p>Sign in with a line like this one. Put what the service asks for in the place of \
<code>{{}}</code>; the token of the answer is kept in your shell for the other lines here.</p>
{lines}
"""

_OPERATOR = """\
<p>Who runs this API hands out tokens. Keep yours in your shell for the lines here: \
<code>TOKEN='tg_...'</code></p>
"""

_TOKEN = """\
<p>A token goes into <code>Authorization: Bearer</code>. It is good until \
<code>Tollgate-Session-Expires</code>; <code>POST /auth/session/refresh</code> gives a new one for \
it, and <code>DELETE /auth/session</code> signs out. Browsers get a cookie instead; with that only \
pages which this API trusts can change things.</p>
"""  # noqa: S105


class Section(NamedTuple):
    title: str
    content: str
    entries: tuple[Entry, ...] = ()

    @property
    def anchor(self) -> str:
        return self.title.lower().replace(" ", "-")


def page(description: Json) -> str:
    """HTML without scripts, the same for the same description."""
    made = _page(description, brief=False)
    return made if len(made.encode()) <= LARGEST else _page(description, brief=True)


def _page(description: Json, *, brief: bool) -> str:
    info, server = description["info"], escape(description["servers"][0]["url"])
    sections = list(_sections(description, brief=brief))
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(info["title"])}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<h1>{escape(info["title"])}</h1>
<p><code>{server}</code>, through Tollgate {escape(info["version"])}. For programs: \
<a href="/openapi.json">openapi.json</a></p>
</header>
<div class="body">
<nav aria-label="Contents"><ul>
{"".join(map(_contents, sections))}</ul></nav>
<main id="content">
{"".join(map(_section, sections))}</main>
</div>
</body>
</html>
"""


def _contents(section: Section) -> str:
    links = "".join(
        f'<li><a href="#{escape(entry.anchor)}">{entries.shown(entry.path)}</a></li>'
        for entry in section.entries
    )
    below = f"<ul>{links}</ul>" if links else ""
    return f'<li><a href="#{section.anchor}">{section.title}</a>{below}</li>\n'


def _section(section: Section) -> str:
    return (
        f'<section id="{section.anchor}">\n<h2>{section.title}</h2>\n{section.content}</section>\n'
    )


def _sections(description: Json, *, brief: bool) -> Iterator[Section]:
    services, *others = description["tags"]
    yield Section("Signing in", _signing_in(description) + _TOKEN)
    yield _brief(services, description) if brief else _full(services, description)
    if policies := description["x-tollgate-policies"]:
        yield Section("Limits", _LIMITS + _table(_policies(policies)))
    yield Section("Errors", _ERRORS + _table(_errors()))
    for tag in others:
        yield _full(tag, description)


def _full(tag: Json, description: Json) -> Section:
    found = _tagged(tag, description)
    content = "".join(entries.full(entry, description) for entry in found)
    return Section(tag["name"], f"<p>{escape(tag['description'])}</p>\n{content}", found)


def _brief(tag: Json, description: Json) -> Section:
    lines = "".join(map(entries.brief, _tagged(tag, description)))
    content = f"<p>{escape(tag['description'])}</p>\n{_BRIEF}<ul>\n{lines}</ul>\n"
    return Section(tag["name"], content)


def _tagged(tag: Json, description: Json) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries.entries(description) if entry.tag == tag["name"])


def _signing_in(description: Json) -> str:
    server = description["servers"][0]["url"]
    lines = [
        f"<pre>{entries.pasted(curl.token(server, *call))}</pre>"
        for call in entries.calls(description)
        if call.operation.get("x-tollgate-session") == "issue"
    ]
    return _SIGN_IN.format(lines="\n".join(lines)) if lines else _OPERATOR


def _policies(policies: Json) -> Iterator[Row]:
    for name, policy in policies.items():
        yield name, escape(policy["description"])


def _errors() -> Iterator[Row]:
    by_status = sorted(STATUS, key=lambda code: STATUS[code])
    for status, codes in groupby(by_status, key=lambda code: STATUS[code]):
        yield (
            str(status),
            "".join(f"<p><code>{code}</code> {_marked(MEANINGS[code])}</p>" for code in codes),
        )


def _table(rows: Iterable[Row]) -> str:
    lines = (
        f'<tr><th scope="row">{escape(head)}</th><td>{text}</td></tr>\n' for head, text in rows
    )
    return f"<table>\n{''.join(lines)}</table>\n"


def _marked(text: str) -> str:
    """Code in backquotes, as the description has it."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))
