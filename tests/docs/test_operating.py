import json
import re

import pytest

from tests.docs.pages import Entry, all_commands, commands, entries, scripts
from tests.infra.engine import Graph
from webapp import events
from webapp.settings.files import ROOT

PAGE = ROOT / "docs" / "operating.md"


def alarm_entries() -> list[Entry]:
    [alarms] = [entry for entry in entries(PAGE, 2) if entry.title == "Alarms"]
    titles = re.findall(r"^### (.+)$", alarms.text, re.MULTILINE)
    return [entry for entry in entries(PAGE, 3) if entry.title in titles]


def test_each_alarm_has_its_entry(stack: Graph) -> None:
    made = {
        alarm.inputs["name"].removeprefix("tollgate-prod-")
        for alarm in stack.all("cloudwatch/metricAlarm:MetricAlarm")
    }
    written = [entry.title for entry in alarm_entries()]
    assert sorted(written) == sorted(made)


@pytest.mark.parametrize("entry", alarm_entries(), ids=lambda entry: entry.title)
def test_an_entry_says_what_it_means_how_to_look_and_what_to_do(entry: Entry) -> None:
    parts = re.findall(r"^\*\*(\w+)\*\* \S", entry.text, re.MULTILINE)
    assert parts == ["Means", "Look", "Do"]
    _, _, look = entry.text.partition("**Look**")
    assert "```bash" in look.partition("**Do**")[0]


def test_a_resource_that_a_command_names_is_one_of_the_stacks(stack: Graph) -> None:
    urns = {resource.urn for resource in stack.resources}
    pages = (PAGE, ROOT / "docs" / "domain.md")
    words = {w for page in pages for s in scripts(page) for c in commands(s) for w in c}
    named = {word for word in words if word.startswith("urn:pulumi:")}
    assert named
    assert named <= urns


def test_the_event_to_invoke_with_is_one_that_the_gateway_reads() -> None:
    [event] = re.findall(r"<<'EVENT'\n(.*?)\nEVENT", PAGE.read_text("utf-8"), re.DOTALL)
    request = events.normalise(json.loads(event))
    assert (request.method, request.path, request.id) == ("GET", "/health", "test-123")


def test_every_saved_query_is_listed_and_no_other_is_run(stack: Graph) -> None:
    definitions = stack.all("cloudwatch/queryDefinition:QueryDefinition")
    made = {definition.inputs["name"].removeprefix("tollgate-prod/") for definition in definitions}
    [logs] = [entry for entry in entries(PAGE, 2) if entry.title == "Logs"]
    rows = re.findall(r"^\| (`[^|]*) \|", logs.text, re.MULTILINE)
    assert sorted(re.findall(r"`(.*?)`", " ".join(rows))) == sorted(made)
    run = {words[0] for words in all_commands(PAGE, "saved") if words}
    assert run <= {*made, "NAME"}


def test_figures_of_cold_starts_are_those_that_the_readme_quotes_from_the_bench() -> None:
    [levers] = [entry.text for entry in entries(PAGE, 2) if entry.title == "Cold starts"]
    quoted = set(re.findall(r"(\d+) ms", levers))
    assert quoted
    assert quoted <= set(re.findall(r"(\d+) ms", (ROOT / "README.md").read_text("utf-8")))
