import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, product
from pathlib import Path

import botocore.session
import click
import pytest
import yaml
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel

from tests.docs.pages import PAGES, all_commands, anchors, commands, links, scripts, spans, text
from tests.infra.engine import Graph
from webapp.__main__ import main
from webapp.settings.files import ROOT

AWS = botocore.session.get_session()

# What every command of the AWS CLI takes, and what it adds to those that page.
GLOBAL = {"output", "query", "region", "profile", "cli-binary-format", "cli-input-json"}
PAGING = {"max-items", "page-size", "starting-token", "no-paginate"}

# The CLI's own commands, which are no operations of a service.
OWN = {
    ("logs", "tail"): {"since", "follow", "format", "filter-pattern", "log-stream-names"},
    ("sts", "get-caller-identity"): set[str](),
}
OWN_SERVICES = {"s3", "configure", "sso"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_scripts_are_shell(page: Path) -> None:
    bash = shutil.which("bash") or pytest.skip("bash is not installed")
    for script in scripts(page):
        ran = subprocess.run(
            [bash, "-n"], input=script, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, (script, ran.stderr)


@every_page
def test_aws_has_the_commands_and_their_options(page: Path) -> None:
    for service, operation, *words in all_commands(page, "aws"):
        unknown = _options(words) - GLOBAL - _taken(service, operation, words)
        assert not unknown, f"aws {service} {operation}: {unknown}"


def _options(words: Sequence[str]) -> set[str]:
    return {word[2:].partition("=")[0] for word in words if re.match(r"--[a-z]", word)}


def _taken(service: str, operation: str, words: Sequence[str]) -> set[str]:
    if service in OWN_SERVICES:
        return _options(words)
    if (service, operation) in OWN:
        return OWN[service, operation]
    try:
        model = AWS.get_service_model({"s3api": "s3"}.get(service, service))
    except UnknownServiceError:
        pytest.fail(f"aws has no {service}")
    if operation == "wait":
        waiters = AWS.get_waiter_model(service)
        named = {xform_name(name, "-"): name for name in waiters.waiter_names}
        return _members(model.operation_model(waiters.get_waiter(named[words[0]]).operation))
    named = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in named, f"aws {service} has no {operation}"
    return _members(model.operation_model(named[operation])) | PAGING


def _members(operation: OperationModel) -> set[str]:
    shape = operation.input_shape
    names = {xform_name(name, "-") for name in shape.members} if shape else set()
    return names | {f"no-{name}" for name in names}


@every_page
def test_the_stack_has_the_outputs(page: Path, stack: Graph) -> None:
    program = (ROOT / "bootstrap" / "__main__.py").read_text("utf-8")
    bootstraps = set(re.findall(r"pulumi\.export\(\s*\"(\w+)\"", program))
    named = {words[0] for words in all_commands(page, "pulumi", "stack", "output") if words}
    # A page may have changed the folder in an earlier script.
    assert named <= stack.outputs.keys() | bootstraps
    of_bootstrap = all_commands(page, "pulumi", "-C", "bootstrap", "stack", "output")
    assert {words[0] for words in of_bootstrap} <= bootstraps


@every_page
def test_the_keys_that_are_set_are_declared(page: Path) -> None:
    declared = _declared(ROOT / "Pulumi.yaml") | _declared(ROOT / "bootstrap" / "Pulumi.yaml")
    for verb in ("set", "get", "rm"):
        for words in all_commands(page, "pulumi", "config", verb):
            for key in islice(_arguments(words), 1):
                namespace, _, name = key.rpartition(":")
                known = namespace not in ("", "tollgate") or re.split(r"[.\[]", name)[0] in declared
                assert known, key


@cache
def _declared(project: Path) -> set[str]:
    return set(yaml.safe_load(project.read_text("utf-8"))["config"])


def _arguments(words: Sequence[str]) -> Iterator[str]:
    """Less the options, of which `--stack` has a value."""
    pairs = zip(["", *words], words, strict=False)
    return (word for before, word in pairs if not word.startswith("-") and before != "--stack")


@every_page
def test_our_own_commands_take_what_they_are_given(page: Path) -> None:
    for script in scripts(page):
        for words in commands(script):
            if tuple(words[:3]) == ("python", "-m", "webapp"):
                command, rest = _command(words[3:])
                with click.Context(main, help_option_names=["-h", "--help"]) as parent:
                    command.make_context(command.name, rest, parent=parent).close()


@every_page
def test_our_own_commands_have_the_options_that_lines_name(page: Path) -> None:
    for span in spans(page):
        if span.startswith("python -m webapp "):
            named = [_command(reading) for reading in _readings(span)]
            taken = {o for command, _ in named for field in command.params for o in field.opts}
            given = {word for _, rest in named for word in rest if word.startswith("-")}
            assert given <= taken | {"--help"}, span


def _readings(span: str) -> Iterator[Sequence[str]]:
    """`limits show|reset KEY [--stack S]` is two commands."""
    _, _, _, *words = re.sub(r"[\[\]…]", " ", span).split()
    return product(*(word.split("|") for word in words))


def _command(words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The innermost command that they name, and the words that are left for it."""
    found: click.Command = main
    rest = list(words)
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in found.commands, words
        found = found.commands[rest.pop(0)]
    return found, rest


@every_page
def test_modules_that_are_run_exist(page: Path) -> None:
    for module, *_ in all_commands(page, "python", "-m"):
        assert importlib.util.find_spec(module), module


@every_page
def test_nothing_is_left_to_do(page: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|TBD)\b", text(page))


def test_pages_that_the_code_names_exist() -> None:
    sources = [ROOT / "Pulumi.yaml", *(ROOT / ".github").rglob("*.yml")]
    for folder in ("webapp", "infra", "bootstrap"):
        sources += (ROOT / folder).rglob("*.py")
    named = {m for s in sources for m in re.findall(r"\bdocs/[a-z]+\.md(?:#[\w-]+)?", text(s))}
    assert named
    for path, _, anchor in (name.partition("#") for name in named):
        assert not anchor or anchor in anchors(ROOT / path), f"{path}#{anchor}"
        assert (ROOT / path).exists(), path
