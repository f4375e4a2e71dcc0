import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import settings as examples

from tests.webapp.apidocs.stacks import route, stack, stacks
from webapp.apidocs.openapi import describe
from webapp.apidocs.page import LARGEST, page
from webapp.apidocs.style import STYLE
from webapp.settings import Settings
from webapp.settings.read import load

HOST = "api.example.com"
VOID = {"meta", "br", "wbr"}


class Page(HTMLParser):
    """Fails on tags that do not match; `text` is what a reader sees of the body."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""

    def values(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name))]


def made(settings: Settings, host: str = HOST) -> Page:
    return Page(page(describe(settings, host)))


def large(count: int) -> Settings:
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return stack(
        routes=tuple(route(f"r{n}", f"/resource-{n}/{{id}}", *methods) for n in range(count))
    )


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_page_of_a_shipped_stack_is_small_and_complete(name: str) -> None:
    settings = load(name).settings
    shown = made(settings)
    assert len(shown.html.encode()) < LARGEST / 2
    for route_ in settings.routes:
        assert shown.text.count(f"https://{HOST}{re.sub('{.*}', '1', route_.path)}\n".strip())


@examples(max_examples=8)
@given(stacks())
def test_links_within_the_page_lead_somewhere(settings: Settings) -> None:
    shown = made(settings)
    places = shown.values("id")
    assert len(places) == len(set(places))
    assert {link[1:] for link in shown.values("href") if link[0] == "#"} <= set(places)


def test_nothing_is_fetched_or_run() -> None:
    shown = made(stack())
    assert not {"script", "link", "img", "iframe", "form", "base"} & {tag for tag, _ in shown.tags}
    names = {name for _, attrs in shown.tags for name in attrs}
    assert names == {"lang", "charset", "name", "content", "class", "href", "id", "scope"} | {
        "aria-label"
    }
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_the_host_and_paths_are_escaped() -> None:
    settings = stack(routes=(route("x", "/<script>/&amp'\"/{id}"),))
    shown = made(settings, "<b>host")
    assert "script" not in {tag for tag, _ in shown.tags}
    assert "API of <b>host" in shown.text
    assert "/%3Cscript%3E/&amp'%22/{id}" in shown.text


def test_a_call_is_shown_with_its_callers_limits_and_errors() -> None:
    [entry] = re.findall(r'<article id="get_item">.*?</article>', made(stack()).html, re.DOTALL)
    text = Page(entry).text
    assert text.startswith("/items/{id}Signed in, with one of the roles user or admin.GETcurl -i")
    assert "PUTcurl -i -X PUT" in text
    assert "100 a minute per address, up to 120 at once<br>5 an hour per user (with" in entry
    assert "at most 4 MiB" in text
    assert "Errors400 401 403 404 405 413 429 431 500 502 503 504" in text


def test_signing_in_is_a_line_to_paste() -> None:
    text = made(stack()).text
    assert "Sign in with a line like this one." in text
    assert f"-d '{{}}' https://{HOST}/login | tr -d '\\r' | awk" in text


def test_a_refresh_keeps_the_token_that_the_lines_after_it_need() -> None:
    line = (
        'TOKEN=$(curl -s -o /dev/null -D - -X POST -H "Authorization: Bearer $TOKEN"'
        f" https://{HOST}/auth/session/refresh |"
    )
    assert line in made(stack()).text


def test_without_a_sign_in_tokens_come_from_elsewhere() -> None:
    text = made(stack(routes=())).text
    assert "Who runs this API hands out tokens." in text
    assert "Sign in with a line" not in text


def test_limits_are_told_where_there_are_any() -> None:
    assert 'id="limits"' in made(stack()).html
    assert 'id="limits"' not in made(stack(rate_limits=())).html


def check_brevity(count: int) -> None:
    shown = made(large(count))
    assert len(shown.html.encode()) < LARGEST
    assert "too many to show each with an example" in shown.text
    for n in range(count):
        assert f"/resource-{n}/{{id}} GET POST PUT PATCH DELETE" in shown.text


def test_a_large_stack_is_told_briefly_and_says_so() -> None:
    check_brevity(50)
    assert "too many" not in made(large(3)).text


@pytest.mark.slow
def test_two_hundred_routes_with_every_method_fit() -> None:
    check_brevity(200)


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_can_be_read(palette: int) -> None:
    """WCAG 2.2 asks for 4.5 (AA)."""
    colours = dict(re.findall(r"--([a-z]+):#([0-9a-f]+)", STYLE.split("@media screen")[palette]))
    grounds = [colours.pop("ground"), colours.pop("panel")]
    colours.pop("line")
    for name, colour in colours.items():
        assert min(contrast(colour, ground) for ground in grounds) >= 4.5, name
