import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webapp.apidocs.stacks import stacks
from webapp.apidocs.templates import parameters, templates, written
from webapp.endpoints import own_routes
from webapp.errors import Problem
from webapp.paths import ambiguity, segments
from webapp.routes import Router
from webapp.settings import Settings


def placed(*paths: str) -> dict[str, str]:
    return {path: written(template) for path, template in templates(paths).items()}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/", "/"),
        ("/a/{x}", "/a/{x}"),
        ("/a/{x+}", "/a/{x}"),
        ("/caf\u00e9/a b/{x}", "/caf%C3%A9/a%20b/{x}"),
        ("/~a!$&'()*+,=:@", "/~a!$&'()*+,=:@"),
    ],
)
def test_a_path_is_written_as_it_goes_on_the_wire(path: str, told: str) -> None:
    assert placed(path) == {path: told}


def test_paths_that_differ_in_names_are_one() -> None:
    assert placed("/a/{x}", "/a/{y}") == {"/a/{x}": "/a/{x}", "/a/{y}": "/a/{x}"}
    assert placed("/{x+}", "/{y+}") == {"/{x+}": "/{x}", "/{y+}": "/{x}"}


@pytest.mark.parametrize(
    ("paths", "greedy"),
    [
        (["/a/{x+}", "/a/{y}"], "/a/{x_1}/{x}"),
        (["/{x_1}/{x+}", "/{x_1}/{y}"], "/{x_1}/{x_2}/{x}"),
        (["/a/{x+}", "/a/{y}", "/a/{y}/{z}"], "/a/{x_1}/{x_2}/{x}"),
        (["/a/{x+}", "/a/{y}/{z}"], "/a/{x}"),
        (["/a/{x+}", "/a/b"], "/a/{x}"),
    ],
)
def test_a_greedy_path_is_what_others_leave_to_it(paths: list[str], greedy: str) -> None:
    assert placed(*paths)[paths[0]] == greedy


def test_what_others_leave_nothing_to_is_not_there() -> None:
    assert "/a/{x+}" not in placed("/a/{x+}", "/a/{y}", "/a/{y}/{z+}")


@settings(max_examples=20)
@given(stacks(), st.lists(st.sampled_from(["a", "b", "c", "caf\u00e9"]), max_size=5))
def test_requests_are_found_under_the_path_that_serves_them(
    made: Settings, parts: list[str]
) -> None:
    routes = [*made.routes, *own_routes(made)]
    told = templates(route.path for route in routes)
    for method in ("GET", "POST", "DELETE"):
        try:
            found = Router(routes).find(method, "/" + "/".join(parts), None).route
        except Problem:
            continue
        kinds = [segment.kind for segment in told[found.path]]
        greedy = "rest" in kinds
        assert len(kinds) <= len(parts) if greedy else len(kinds) == len(parts)
        for part, (kind, text) in zip(parts, told[found.path], strict=False):
            assert kind != "literal" or part == text


def test_placeholders_are_parameters() -> None:
    one, rest = parameters(templates(["/a/{x}/{y+}"])["/a/{x}/{y+}"])
    assert (one["name"], one["in"], one["required"]) == ("x", "path", True)
    assert (rest["name"], rest["x-tollgate-greedy"]) == ("y", True)
    assert "The rest of the path" in rest["description"]
    assert "x-tollgate-greedy" not in one


def pattern(path: str) -> str:
    [parameter] = parameters(templates([path])[path])
    return str(parameter["schema"]["pattern"])


VALUES = st.text(st.sampled_from("a.\u00e9 /\\?#;%\x00\x7f\x9f"), min_size=1, max_size=5)


@given(VALUES)
def test_a_value_is_one_that_the_gateway_takes(value: str) -> None:
    taken = ambiguity(f"/{value}") is None and not value.endswith("/")
    assert bool(re.search(pattern("/{x+}"), value)) == taken
    single = taken and len(segments(f"/{value}")) == 1
    assert bool(re.search(pattern("/{x}"), value)) == single
