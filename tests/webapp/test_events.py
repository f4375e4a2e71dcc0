import base64
import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from apig_wsgi import get_environ_v2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webapp.builders import event, request
from webapp import paths
from webapp.events import Request, normalise, to_payload

KIB_16 = 16 * 1024

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(codec=None))
TEXT = ANY_TEXT | st.text("abcXYZ09 /.%;?#=-_\n\t\x00\u00e9\u0141\uff0f")


def event_like(text: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["host", "Cookie", "X-A", "x-a", "x_a", "\u212aey", "authorization"])
    http = st.fixed_dictionaries({}, optional={"method": text, "path": text, "sourceIp": text})
    context = st.fixed_dictionaries(
        {"http": http | JSON}, optional={"requestId": text, "domainName": text}
    )
    return st.fixed_dictionaries(
        {"version": st.just("2.0"), "rawPath": text.map("/{}".format) | JSON},
        optional={
            "rawQueryString": text,
            "headers": st.dictionaries(names | TEXT, text, max_size=4) | JSON,
            "cookies": st.lists(text, max_size=3) | JSON,
            "body": text | JSON,
            "isBase64Encoded": st.booleans() | JSON,
            "requestContext": context | JSON,
        },
    )


PLAIN = st.from_regex(r"[A-Z0-9.]{1,12}", fullmatch=True)
EVENTS = JSON | event_like(TEXT | JSON) | event_like(PLAIN)


def check_that_an_event_is_read_safely(anything: object) -> None:
    made = normalise(anything)
    environ = get_environ_v2(to_payload(made), None)
    assert environ["PATH_INFO"].encode("latin-1").decode() == made.path
    assert environ["QUERY_STRING"] == made.query
    assert environ["REQUEST_METHOD"] == made.method
    assert environ["apig_wsgi.full_event"]["request"] is made
    assert not [name for name in environ if name.startswith("HTTP_") and environ[name]]
    assert paths.ambiguity(made.path) is None
    assert made.query.isascii()
    assert re.fullmatch(r"[!-~]+", made.method + made.id)
    names = [name for name, _ in made.headers]
    assert all(re.fullmatch(r"[!-~]+", name) and name == name.lower() for name in names)
    assert "cookie" not in names
    assert not [name for name in names if "_" in name]
    assert len(set(names)) == len(names)
    for value in (*made.cookies, *(value for _, value in made.headers)):
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
        assert value.encode()


@given(EVENTS)
def test_whatever_comes_in_is_read_safely(anything: object) -> None:
    check_that_an_event_is_read_safely(anything)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(EVENTS)
def test_whatever_comes_in_is_read_safely_deeply(anything: object) -> None:
    check_that_an_event_is_read_safely(anything)


def refused(made: Request) -> str | None:
    return made.refusal.code if made.refusal else None


def test_an_event_of_api_gateway() -> None:
    made = request(
        "POST",
        "/caf\u00e9/1/",
        query="a=%2F&a=b",
        headers={"X-Mine": " 1 "},
        cookies=["a=1", "b=2"],
        body=b"\x00\xff",
        request_id="JKJaXmPLvHcESHA=",
    )
    assert (made.method, made.path, made.query) == ("POST", "/caf\u00e9/1/", "a=%2F&a=b")
    assert made.headers == (("host", "gw.example.com"), ("x-mine", "1"))
    assert made.cookies == ("a=1", "b=2")
    assert made.body == b"\x00\xff"
    assert str(made.address) == "198.51.100.7"
    assert (made.host, made.id) == ("gw.example.com", "JKJaXmPLvHcESHA=")
    assert refused(made) is None
    assert made.header("x-mine") == "1"
    assert made.header("x-other") is None


def test_an_event_written_by_hand_needs_little() -> None:
    made = normalise(
        {"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}}
    )
    assert refused(made) is None
    assert (made.address, made.host, made.headers, made.body) == (None, "", (), b"")
    assert len(made.id) == 36


@pytest.mark.parametrize(
    "other",
    [
        None,
        [],
        {},
        "text",
        event(version="1.0"),
        event(version=2.0),
        event(rawPath=None),
        {k: v for k, v in event().items() if k != "version"},
    ],
)
def test_only_payload_2_is_an_event(other: object) -> None:
    assert refused(normalise(other)) == "bad_request"


def test_a_refused_event_still_tells_whose_it_is() -> None:
    made = request(path="/a/../b", address="203.0.113.9", host="gw.example", request_id="req-9")
    assert refused(made) == "ambiguous_path"
    assert (made.id, str(made.address), made.host) == ("req-9", "203.0.113.9", "gw.example")


@pytest.mark.parametrize("host", ["gw.example.com", "127.0.0.1:8080", "localhost:1"])
def test_the_public_host_may_carry_a_port(host: str) -> None:
    assert request(host=host).host == host


@pytest.mark.parametrize(
    "host", ["", "a b", "a/b", "a:", "a:b", "a@b", 'a"', "a\n", ":80", "a:123456"]
)
def test_what_is_no_host_is_left_out(host: str) -> None:
    assert request(host=host, headers={"host": "gw"}).host == ""


@pytest.mark.parametrize("request_id", ["", "a b", "a\n", "x" * 129, "\u00e9"])
def test_an_odd_request_id_is_replaced(request_id: str) -> None:
    made = request(request_id=request_id)
    assert re.fullmatch(r"[0-9a-f-]{36}", made.id)


@pytest.mark.parametrize("method", ["", "get", "GE T", "GET\n", "G\u00c9T", "X" * 33, None, 1])
def test_a_method_is_an_upper_case_token(method: Any) -> None:
    assert refused(request(method)) == "bad_request"


def test_unusual_methods_are_left_to_the_router() -> None:
    assert request("TRACE").method == "TRACE"


@pytest.mark.parametrize("path", ["users", "/a//b", "/\ud800", "/%2e"])
def test_an_ambiguous_path_is_refused(path: str) -> None:
    assert refused(request(path=path)) == "ambiguous_path"


@pytest.mark.parametrize("query", ["a=1&a=2", "%2F%zz", "a?b/c;d", "a=b%", "{[<\"|^`'>]}"])
def test_the_query_stays_as_it_came(query: str) -> None:
    assert request(query=query).query == query


@pytest.mark.parametrize("query", ["a b", "a#b", "a\n", "\u00e9", "\x7f", "\ud800"])
def test_a_query_with_bare_characters_is_refused(query: str) -> None:
    assert refused(request(query=query)) == "bad_request"


def test_names_with_underscores_are_dropped() -> None:
    made = request(headers={"x_user_id": "root", "X_Forwarded-For": "1.1.1.1", "x-a": "1"})
    assert made.headers == (("host", "gw.example.com"), ("x-a", "1"))


@pytest.mark.parametrize("name", ["", "x y", "x:", "x\n", "\u212aey", "x\u00e9", "x_\n"])
def test_malformed_names_are_refused(name: str) -> None:
    assert refused(request(headers={name: "1"})) == "bad_request"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\x00", "\x7f", "\ud800", "a\n", None, 1, ["a"]])
def test_malformed_values_are_refused(value: Any) -> None:
    assert refused(request(headers={"x-a": value})) == "bad_request"
    assert refused(request(headers={"cookie": value})) == "bad_request"
    assert refused(request(cookies=[value])) == "bad_request"


@pytest.mark.parametrize("value", ["", "a\tb", "caf\u00e9", "\x85", "\u65e5", "\U0001f600"])
def test_other_values_pass(value: str) -> None:
    assert request(headers={"x-a": value}).header("x-a") == value


@pytest.mark.parametrize("name", ["Origin", "cookie"])
def test_a_name_in_two_spellings_is_refused(name: str) -> None:
    headers = {name: "https://a", name.upper(): "https://b"}
    assert refused(request(headers=headers)) == "bad_request"


def test_cookies_come_from_the_list_and_from_a_header() -> None:
    made = request(cookies=["a=1", "b=2; c=3"], headers={"Cookie": "d=4;;e=5; "})
    assert made.cookies == ("a=1", "b=2", "c=3", "d=4", "e=5")


def test_null_cookies_are_none() -> None:
    assert normalise(event() | {"cookies": None, "headers": None}).cookies == ()


def test_a_head_of_16_kib_passes_and_a_byte_more_does_not() -> None:
    fixed: dict[str, Any] = {"path": "/\u00e9", "query": "q=1", "cookies": ["a=1"], "host": "h"}
    size = len("/") + 2 + len("q=1") + len("a=1") + len("host" + "h") + len("x-a")
    value = "v" * (KIB_16 - size)
    assert refused(request(**fixed, headers={"x-a": value})) is None
    assert refused(request(**fixed, headers={"x-a": value + "v"})) == "headers_too_large"


@pytest.mark.parametrize(
    "part",
    [
        {"path": "/" + "p" * KIB_16},
        {"query": "q" * KIB_16},
        {"cookies": ["c=" + "c" * KIB_16]},
        {"headers": {"x-" + "n" * KIB_16: ""}},
        {"headers": {"x_" + "n" * KIB_16: ""}},
        {"headers": {"cookie": "c" * KIB_16}},
    ],
)
def test_every_part_of_the_head_counts(part: dict[str, Any]) -> None:
    assert refused(request(**part)) == "headers_too_large"


@pytest.mark.parametrize("body", ["", "text", "caf\u00e9 \U0001f600"])
def test_a_text_body_is_utf8(body: str) -> None:
    assert normalise(event(body=None) | {"body": body}).body == body.encode()


@given(st.binary())
def test_a_base64_body_is_its_bytes(body: bytes) -> None:
    assert request(body=body).body == body


@pytest.mark.parametrize(
    "body", ["a", "YQ", "YQ==YQ==", "Y Q==", "Y\u00e9==", "YQ==\n", "-_8=", 1, {}]
)
def test_a_body_that_is_not_base64_is_refused(body: Any) -> None:
    made = normalise(event() | {"body": body, "isBase64Encoded": True})
    assert refused(made) == "bad_request"


@pytest.mark.parametrize("body", ["\ud800", 1, ["a"]])
def test_a_body_that_is_no_text_is_refused(body: Any) -> None:
    assert refused(normalise(event() | {"body": body})) == "bad_request"


def test_the_payload_carries_the_path_encoded_once_more() -> None:
    made = request(path="/caf\u00e9 1/x")
    payload = to_payload(made)
    assert payload["rawPath"] == "/caf%C3%A9%201/x"
    assert unquote(str(payload["rawPath"])) == made.path
    assert payload["headers"] == {}


def test_the_builder_makes_json() -> None:
    made = event(headers={"x-a": "1"}, cookies=["a=1"], body=b"\xff")
    assert json.loads(json.dumps(made)) == made
    assert base64.b64decode(made["body"]) == b"\xff"
