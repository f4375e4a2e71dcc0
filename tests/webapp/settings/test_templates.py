import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.settings.templates import Segment, parse

NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
LITERAL = st.builds(
    Segment, st.just("literal"), st.from_regex(r"[a-z0-9._~-]*[a-z0-9]", fullmatch=True)
)
ONES = st.lists(NAME, unique=True, max_size=4).flatmap(
    lambda names: st.lists(LITERAL, max_size=3).flatmap(
        lambda literals: st.permutations([*literals, *(Segment("one", name) for name in names)])
    )
)


def written(segment: Segment) -> str:
    form = {"literal": "{}", "one": "{{{}}}", "rest": "{{{}+}}"}[segment.kind]
    return form.format(segment.text)


@given(ONES, st.booleans())
def test_a_template_means_its_segments(segments: list[Segment], greedy: bool) -> None:
    if greedy:
        segments = [*segments, Segment("rest", "the_rest_of_it")]
    assert parse("/" + "/".join(map(written, segments))) == tuple(segments)


def test_the_root_has_no_segments() -> None:
    assert parse("/") == ()


@given(st.text(max_size=20))
def test_nothing_but_a_template_is_read(text: str) -> None:
    with suppress(ValueError):
        assert text == "/" + "/".join(map(written, parse(text)))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "the path must start with a slash"),
        ("a", "the path must start with a slash"),
        ("//", "the path holds an empty segment"),
        ("/a//", "the path holds an empty segment"),
        ("/.", "the path holds a segment of dots or spaces only"),
        ("/a/", "leave the trailing slash out: with and without it is one path"),
        ("/{a", '"{a" is neither literal nor a whole {name} or {name+}'),
        ("/a}", '"a}" is neither literal nor a whole {name} or {name+}'),
        ("/{}", '"{}" is neither literal nor a whole {name} or {name+}'),
        ("/{1}", '"{1}" is neither literal nor a whole {name} or {name+}'),
        ("/a\u2024", '"a\u2024" ends with a dot or a space, which some servers cut off'),
    ],
)
def test_what_is_no_template_is_refused_with_a_reason(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        parse(path)
