import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import webapp
from tests.webapp.containers import Container, container
from tests.webapp.faults import Faults
from webapp.apidocs import Documents
from webapp.settings import Policy, Runtime, Settings

BOTH = pytest.mark.parametrize("path", ["/openapi.json", "/docs"])


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    with container(runtime, Policy(name="per-ip", key="ip", limit=1, window=60)) as made:
        yield made


@pytest.fixture
def guarded(runtime: Runtime) -> Iterator[Container]:
    with container(runtime, api_docs="session") as made:
        yield made


def test_the_description_is_json_of_this_gateway(gate: Container) -> None:
    answer = gate(path="/openapi.json", host="gw.example.com")
    assert answer.headers["content-type"] == "application/json"
    assert answer.payload["isBase64Encoded"] is False
    assert answer.json["servers"] == [{"url": "https://gw.example.com"}]
    assert "/items/{id}" in answer.json["paths"]


def test_the_page_carries_the_hash_of_its_style(gate: Container) -> None:
    answer = gate(path="/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    [style] = re.findall("<style>(.*?)</style>", answer.body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        "; frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"


@BOTH
def test_documents_touch_no_store_and_are_never_limited(
    gate: Container, faults: Faults, path: str
) -> None:
    for _ in range(3):
        answer = gate(path=path)
        assert answer.status == 200
        assert not {"ratelimit", "ratelimit-policy"} & answer.headers.keys()
    assert faults.operations == []


@BOTH
def test_a_trailing_slash_and_head_lead_there_too(gate: Container, path: str) -> None:
    assert gate(path=f"{path}/").body == gate(path=path).body
    head = gate("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert gate("POST", path).headers["allow"] == "GET, HEAD"


@BOTH
def test_what_all_may_read_is_kept_for_a_minute_and_then_asked_about(
    gate: Container, path: str
) -> None:
    answer = gate(path=path)
    assert answer.headers["cache-control"] == "public, max-age=60"
    etag = answer.headers["etag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        again = gate(path=path, headers={"if-none-match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert gate(path=path, headers={"if-none-match": '"other"'}).body == answer.body


@BOTH
def test_only_who_is_signed_in_reads_guarded_documents(guarded: Container, path: str) -> None:
    answer = guarded(path=path)
    assert (answer.status, answer.code) == (401, "missing_token")
    answer = guarded(path=path, headers=guarded.bearer(roles=""))
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert "etag" not in answer.headers


@BOTH
def test_documents_that_are_off_are_not_there(runtime: Runtime, path: str) -> None:
    with container(runtime, api_docs="off") as gate:
        for method in ("GET", "POST"):
            answer = gate(method, path, headers=gate.bearer())
            assert (answer.status, answer.code) == (404, "not_found")


def test_a_reader_of_another_host_gets_its_addresses(gate: Container) -> None:
    hosts = [gate(path="/openapi.json", host=host).json["servers"] for host in ("a.example", "b")]
    assert hosts == [[{"url": "https://a.example"}], [{"url": "https://b"}]]


def test_the_public_host_is_told_whoever_asks(runtime: Runtime) -> None:
    with container(runtime, public_host="api.example.com") as gate:
        answer = gate(path="/openapi.json", host="abc.execute-api.eu-west-1.amazonaws.com")
    assert answer.json["servers"] == [{"url": "https://api.example.com"}]


def test_documents_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents(Settings())
    made = documents.openapi("a.example")
    monkeypatch.setattr("webapp.apidocs.describe", None)
    assert documents.openapi("a.example") is made
    assert b"a.example" in documents.page("a.example").body


def test_nothing_loads_them_before_somebody_asks() -> None:
    """A cold start pays for what is imported."""
    for path in Path(webapp.__file__).parent.glob("*.py"):
        assert not re.search("^(from|import) .*apidocs", path.read_text(), re.MULTILINE)
