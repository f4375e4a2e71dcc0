import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.queries import QUERIES, Query
from tests.infra import published
from tests.infra.engine import Graph
from webapp import guards

LOGS = {
    "function": "/aws/lambda/tollgate-dev",
    "access": "/aws/vendedlogs/tollgate-dev-access",
}

WORDS = {
    *("filter", "fields", "stats", "sort", "limit", "unnest", "by", "as", "into", "desc"),
    *("and", "or", "not", "in", "like", "ispresent", "jsonParse", "bin"),
    *("count", "count_distinct", "sum", "max", "pct"),
}
OF_INSIGHTS = {"@timestamp", "@message", "@log"}


def asked(query: Query) -> set[str]:
    """The fields of log lines that a query is about; those that it makes itself stay out."""
    text = re.sub('"[^"]*"', "", query.text)
    made = re.findall(r"\b(?:as|into) (\w+)", text)
    words = re.findall(r"(?<!\w)@?[A-Za-z_][\w.]*", text)
    return {re.sub(r"^line\.|\.0$", "", word) for word in words} - {*made, *WORDS, *OF_INSIGHTS}


def members(graph: Graph) -> Mapping[str, set[str]]:
    settings = graph.one("apigatewayv2/stage:Stage").inputs["accessLogSettings"]
    return {"function": set(published.line()), "access": set(json.loads(settings["format"]))}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_asks_for_members_of_real_lines(dev: Graph, query: Query) -> None:
    for log in query.logs:
        assert asked(query) <= members(dev)[log]


def test_the_fields_of_a_query_are_found() -> None:
    text = """filter a = "b" and ispresent(c.0)
| fields jsonParse(@message) as line
| unnest line.d into e
| stats count(*) as f, pct(g, 99) by e, bin(1h)
| sort f desc"""
    assert asked(Query("q", text)) == {"a", "c", "d", "g"}


def test_sign_ins_are_refused_by_guards_of_these_names() -> None:
    [query] = [query for query in QUERIES if query.name == "sign-ins-refused"]
    source = Path(guards.__file__).read_text()
    names = re.findall('"[^"]*"', query.text)
    assert len(names) == 2
    assert all(name in source for name in names)


def test_every_query_is_saved_for_the_logs_of_the_stack(dev: Graph) -> None:
    saved = {
        made.inputs["name"]: (made.inputs["queryString"], made.inputs["logGroupNames"])
        for made in dev.all("cloudwatch/queryDefinition:QueryDefinition")
    }
    assert saved == {
        f"tollgate-dev/{query.name}": (query.text, [LOGS[log] for log in query.logs])
        for query in QUERIES
    }
    assert set(LOGS.values()) == {
        group.inputs["name"] for group in dev.all("cloudwatch/logGroup:LogGroup")
    }
