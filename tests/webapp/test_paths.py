import string
import sys
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp import paths

AMBIGUOUS = "/\\?#;%"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "users",
        "//",
        "//users",
        "/users//1",
        "/users//",
        "/.",
        "/..",
        "/users/../admin",
        "/users/./",
        "/users/...",
        "/users/ ",
        "/users/ . /1",
        "/users/.. /1",
        "/%2e%2e/admin",
        "/users%2f1",
        "/100%",
        "/users\\1",
        "/users?x",
        "/users#x",
        "/users;a=b",
        "/..;/admin",
        "/users\x00",
        "/users\n",
        "/users\x1f",
        "/users\x7f",
        "/users\x80",
        "/users\x9f",
        "/caf\ufffd",
        "/\ud800",
        "/users\uff0fadmin",
        "/users\uff3cadmin",
        "/\uff0e\uff0e/admin",
        "/\u2025/admin",
        "/\u2026",
        "/\u3000/",
        "/a/\u00a0.",
        "/a\u2100b",
        "/a\u037eb",
        "/a\uff05b",
        "/a" + "\u0301\u0323" * 16,
    ],
)
def test_a_path_with_several_readings_is_refused(path: str) -> None:
    assert paths.ambiguity(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/users",
        "/users/",
        "/users/1/",
        "/.well-known/x",
        "/a.b/..c/d..",
        "/a b/ c",
        "/caf\u00e9/\u65e5\u672c/\U0001f600",
        "/cafe\u0301",
        "/a" + "\u0301\u0323" * 15,
        "/a+b,c=d&e:f@g!$'()*~_-",
        '/a"b<c>d^e`f{g}h|i[j]',
        "/a\u2024b",
        "/\uff21",
    ],
)
def test_a_path_with_one_reading_passes(path: str) -> None:
    assert paths.ambiguity(path) is None


def test_every_character_that_nfkc_folds_to_an_ambiguous_one_is_refused() -> None:
    folding = [
        chr(i)
        for i in range(0x80, sys.maxunicode + 1)
        if set(AMBIGUOUS) & set(unicodedata.normalize("NFKC", chr(i)))
    ]
    assert len(folding) > 20
    assert [c for c in folding if not paths.ambiguity(f"/a{c}b")] == []


def test_every_control_character_is_refused() -> None:
    controls = [chr(i) for i in range(0x100) if unicodedata.category(chr(i)) == "Cc"]
    assert [c for c in controls if not paths.ambiguity(f"/a{c}b")] == []


def test_every_other_ascii_character_passes() -> None:
    plain = set(string.printable) - set(string.whitespace) - set(AMBIGUOUS) | {" "}
    assert [c for c in plain if paths.ambiguity(f"/a{c}b")] == []


def an_unambiguous_path_stays_one_when_lax_servers_read_it(path: str) -> None:
    if paths.ambiguity(path):
        return
    parts = paths.segments(path)
    assert path.rstrip("/") == "".join(f"/{part}" for part in parts)
    for part in parts:
        folded = paths.fold(part)
        assert paths.fold(folded) == folded
        assert not folded or paths.ambiguity(f"/{folded}") is None


PATHS = st.text(st.characters() | st.sampled_from("/. aA\u2024\uff0f"), max_size=12)


@given(PATHS.map("/{}".format))
def test_folding(path: str) -> None:
    an_unambiguous_path_stays_one_when_lax_servers_read_it(path)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(PATHS.map("/{}".format))
def test_folding_deeply(path: str) -> None:
    an_unambiguous_path_stays_one_when_lax_servers_read_it(path)


@pytest.mark.parametrize(
    ("segment", "folded"),
    [
        ("Admin", "admin"),
        ("admin.", "admin"),
        ("admin. .", "admin"),
        ("\uff21dmin", "admin"),
        ("stra\u00dfe", "strasse"),
        ("\u1d35D", "id"),
        ("admin\u00a0", "admin"),
        ("admin\u2024", "admin"),
        (".admin", ".admin"),
        ("a.b", "a.b"),
    ],
)
def test_a_segment_folds_as_lax_servers_compare_it(segment: str, folded: str) -> None:
    assert paths.fold(segment) == folded


def test_folding_goes_on_until_nothing_changes() -> None:
    assert paths.fold("\u00df\u0323") == paths.fold("ss\u0323") == "s\u1e63"


@pytest.mark.parametrize(
    ("path", "parts"),
    [("/", []), ("/a", ["a"]), ("/a/", ["a"]), ("/a/B", ["a", "B"]), ("/a b/.c/", ["a b", ".c"])],
)
def test_a_trailing_slash_makes_no_segment(path: str, parts: list[str]) -> None:
    assert paths.segments(path) == parts


@pytest.mark.parametrize("path", ["health", "health/live", "auth", "auth/x/y", "docs/a"])
def test_the_gateways_own_paths(path: str) -> None:
    assert paths.reserved(path.split("/"))
    assert paths.reserved(["openapi.json"])


@pytest.mark.parametrize("parts", [[], ["healthy"], ["a", "auth"], ["openapi.json", "x"], ["Docs"]])
def test_all_other_paths_are_free(parts: list[str]) -> None:
    assert not paths.reserved(parts)


@pytest.mark.parametrize(
    ("path", "wire"),
    [
        ("/", "/"),
        ("/a b", "/a%20b"),
        ("/caf\u00e9", "/caf%C3%A9"),
        ("/a!$&'()*+,=:@~_.-b/", "/a!$&'()*+,=:@~_.-b/"),
        ('/"<>[]^`{|}', "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
    ],
)
def test_a_path_goes_on_the_wire_encoded(path: str, wire: str) -> None:
    assert paths.encode(path) == wire


@given(PATHS.filter(lambda path: not paths.ambiguity(f"/{path}")).map("/{}".format))
def test_encoding_is_undone_by_decoding(path: str) -> None:
    wire = paths.encode(path)
    assert wire.isascii()
    assert " " not in wire
    assert unquote(wire) == path
