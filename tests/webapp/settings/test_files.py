from pathlib import Path

import pytest

from webapp.settings.files import SEALED, stack_values
from webapp.settings.mistakes import Mistakes

PROJECT = """
name: tollgate
runtime: python
config:
  aws:region:
    value: eu-west-1
  signingKey: {type: string, secret: true}
  routes:
    type: array
    items: {type: object}
    default: [{id: shared}]
  memorySize: {type: integer, default: 512}
  tags: {type: object, default: {}}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


def resolved(directory: Path, content: str) -> dict[str, object]:
    (directory / "Pulumi.dev.yaml").write_text(content)
    return stack_values("dev", directory)


def refused(directory: Path, content: str, name: str = "Pulumi.dev.yaml") -> str:
    (directory / "Pulumi.dev.yaml").write_text("config: {}")
    (directory / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(Mistakes) as caught:
        stack_values("dev", directory)
    return str(caught.value)


@pytest.mark.parametrize("content", ["config: {}", "config:", "encryptionsalt: v1:abc"])
def test_the_defaults_of_the_project_come_first(directory: Path, content: str) -> None:
    assert resolved(directory, content) == {
        "routes": [{"id": "shared"}],
        "memorySize": 512,
        "tags": {},
    }


def test_a_key_of_the_stack_replaces_the_whole_default(directory: Path) -> None:
    content = "config: {'tollgate:routes': [{id: own}], 'tollgate:tags': {a: b}}"
    assert resolved(directory, content) == {
        "routes": [{"id": "own"}],
        "memorySize": 512,
        "tags": {"a": "b"},
    }


def test_other_namespaces_are_left_alone(directory: Path) -> None:
    values = resolved(directory, "config: {'aws:region': eu-west-1, 'tollgate:memorySize': 256}")
    assert values["memorySize"] == 256
    assert "region" not in values


def test_the_namespace_is_the_name_of_the_project(directory: Path) -> None:
    (directory / "Pulumi.yaml").write_text("name: renamed\nconfig: {memorySize: 512}")
    content = "config: {'renamed:memorySize': 256, 'tollgate:memorySize': 128}"
    assert resolved(directory, content) == {"memorySize": 256}


def test_an_undeclared_key_is_handed_on_to_be_reported(directory: Path) -> None:
    assert resolved(directory, "config: {'tollgate:foo': 1}")["foo"] == 1


def test_what_is_encrypted_is_sealed_at_any_depth(directory: Path) -> None:
    content = """
config:
  tollgate:signingKey: {secure: v1:abc}
  tollgate:upstreamSecrets:
    users: {secure: v1:def}
  tollgate:list: [{secure: v1:ghi}]
"""
    values = resolved(directory, content)
    assert values["signingKey"] is SEALED
    assert values["upstreamSecrets"] == {"users": SEALED}
    assert values["list"] == [SEALED]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("true", True),
        ("'512'", "512"),
        ("512", 512),
        ("1:30", "1:30"),
        ("0777", "0777"),
        ("2024-05-01", "2024-05-01"),
        ("1.5", 1.5),
        ("None", "None"),
    ],
)
def test_scalars_are_those_of_the_engine(directory: Path, written: str, value: object) -> None:
    assert resolved(directory, f"config:\n  tollgate:key: {written}")["key"] == value


def test_an_unknown_stack_is_one_line(directory: Path) -> None:
    (directory / "Pulumi.prod.yaml").touch()
    with pytest.raises(Mistakes) as caught:
        stack_values("prd", directory)
    line = 'Pulumi.prd.yaml: no such stack (did you mean "prod"?); there are prod'
    assert str(caught.value) == line


@pytest.mark.parametrize("stack", ["", "../dev", "a/b", "."])
def test_a_stack_is_a_name_and_no_path(directory: Path, stack: str) -> None:
    with pytest.raises(Mistakes, match="no such stack"):
        stack_values(stack, directory)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("config:\n  a: b: c\n", " line 2: mapping values are not allowed here"),
        ("config:\n  t:a: 1\n  t:a: 2\n", ' line 3: the key "t:a" stands here a second time'),
        ("config: {t:a: [{b: 1, b: 2}]}", ' line 1: the key "b" stands here a second time'),
        ("- config", ": must be an object of keys at its top level"),
        ("", ": must be an object of keys at its top level"),
        ("config: [1]", ": config: expected an object, got a list"),
        ("config: {routes: []}", ': "routes" has no namespace; write tollgate:routes'),
        ("config: !!python/object:os.system {}", " line 1: could not determine a constructor for"
         " the tag 'tag:yaml.org,2002:python/object:os.system'"),
        ("\udcff", ": is not YAML in UTF-8"),
        ("\x00", ": is not YAML in UTF-8"),
        ("{" * 5000, ": is not YAML in UTF-8"),
        ("a: &a [*a]", ": is not YAML in UTF-8"),
        ("config: {'tollgate:a': &a [*a]}", ": is not YAML in UTF-8"),
    ],
)  # fmt: skip
def test_a_broken_stack_file_is_one_line(directory: Path, content: str, line: str) -> None:
    assert refused(directory, content) == f"Pulumi.dev.yaml{line}"


def test_a_broken_project_file_is_one_line(directory: Path) -> None:
    assert refused(directory, "a: b: c", "Pulumi.yaml") == (
        "Pulumi.yaml line 1: mapping values are not allowed here"
    )


def test_a_missing_project_file_is_one_line(directory: Path) -> None:
    (directory / "Pulumi.yaml").unlink()
    with pytest.raises(Mistakes, match=r"^Pulumi.yaml: cannot be read: No such file or directory$"):
        resolved(directory, "config: {}")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            "config: {'tolgate:denyFrom': []}",
            '"tolgate:denyFrom" is of another namespace (did you mean "tollgate"?)',
        ),
        ("confg: {}", 'unknown key "confg" (did you mean "config"?)'),
    ],
)
def test_what_the_engine_would_pass_over_is_refused(
    directory: Path, content: str, line: str
) -> None:
    assert refused(directory, content) == f"Pulumi.dev.yaml: {line}"


def test_aliases_that_multiply_are_refused_at_once(directory: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(Mistakes, match="over 100,000 values once its aliases are written out"):
        resolved(directory, "\n".join(lines))
