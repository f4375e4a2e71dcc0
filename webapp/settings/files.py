"""Stack files, resolved without the engine as the engine would: defaults, then the stack's own."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from webapp.settings.mistakes import NAMESPACE, Mistake, Mistakes, shown, suggestion

ROOT = Path(__file__).parent.parent.parent


class Sealed:
    """Stands for a value that is set, but that only the engine can decrypt."""

    def __str__(self) -> str:
        return "an encrypted value"


SEALED = Sealed()

# A few lines of aliases can stand for more than any machine holds.
_MOST_VALUES = 100_000

# What a stack file may hold: https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
_ENGINE_KEYS = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")


def stack_values(stack: str, directory: Path = ROOT) -> dict[str, object]:
    """What the project's keys are in this stack, unprefixed.

    A key of the stack file replaces the whole default. `secure: ...`, at any depth, is `SEALED`.
    """
    file = directory / f"Pulumi.{stack}.yaml"
    if not re.fullmatch(r"[\w.-]+", stack, re.ASCII) or not file.exists():
        raise Mistakes([Mistake(f"Pulumi.{stack}.yaml", _no_such_stack(stack, directory))])
    project = _mapping(directory / "Pulumi.yaml")
    declared = _section(project, "Pulumi.yaml")
    defaults = {key: _default(entry) for key, entry in declared.items() if ":" not in key}
    values = {key: value for key, value in defaults.items() if value is not None}
    content = _mapping(file)
    own = _section(content, file.name)
    namespace = str(project.get("name") or NAMESPACE)
    prefix = f"{namespace}:"
    _refuse_misspelt(content, own, namespace, file.name)
    if bare := [key for key in own if ":" not in key]:
        raise Mistakes(
            Mistake(file.name, f"{shown(key)} has no namespace; write {prefix}{key}")
            for key in bare
        )
    return values | {key.removeprefix(prefix): own[key] for key in own if key.startswith(prefix)}


def _refuse_misspelt(
    content: dict[Any, Any], own: dict[str, Any], namespace: str, name: str
) -> None:
    """The engine passes over a key that it does not know: what was meant would have no effect."""
    found = [
        Mistake(name, f"unknown key {shown(key)}{suggestion(key, _ENGINE_KEYS)}")
        for key in content
        if key not in _ENGINE_KEYS
    ]
    for key in own:
        given = key.partition(":")[0]
        if ":" in key and given != namespace and (hint := suggestion(given, [namespace])):
            found.append(Mistake(name, f"{shown(key)} is of another namespace{hint}"))
    if found:
        raise Mistakes(found)


def _no_such_stack(stack: str, directory: Path) -> str:
    names = [path.name[7:-5] for path in sorted(directory.glob("Pulumi.*.yaml"))]
    known = f"there are {', '.join(names)}" if names else f"none in {directory}"
    return f"no such stack{suggestion(stack, names)}; {known}"


def _mapping(file: Path) -> dict[Any, Any]:
    content = _parsed(file)
    if not isinstance(content, dict):
        raise Mistakes([Mistake(file.name, "must be an object of keys at its top level")])
    return content


def _section(content: dict[Any, Any], name: str) -> dict[str, Any]:
    section = content.get("config")
    if section is not None and not isinstance(section, dict):
        raise Mistakes([Mistake(f"{name}: config", f"expected an object, got {shown(section)}")])
    return {str(key): value for key, value in (section or {}).items()}


def _default(entry: object) -> object:
    return entry.get("default") if isinstance(entry, dict) else entry


def _sealed(value: object) -> object:
    if isinstance(value, dict):
        if list(value) == ["secure"] and isinstance(value["secure"], str):
            return SEALED
        return {key: _sealed(entry) for key, entry in value.items()}
    return [_sealed(entry) for entry in value] if isinstance(value, list) else value


def _size(value: object, known: dict[int, int]) -> int:
    """How many values there are once all aliases are written out."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = 0
        inside = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(entry, known) for entry in inside)
    return known[id(value)]


def _parsed(file: Path) -> object:
    try:
        content = yaml.load(file.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (safe)
        if _size(content, {}) > _MOST_VALUES:
            message = f"holds over {_MOST_VALUES:,} values once its aliases are written out"
            raise Mistakes([Mistake(file.name, message)])
        return _sealed(content)
    except OSError as error:
        raise Mistakes([Mistake(file.name, f"cannot be read: {error.strerror}")]) from None
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise Mistakes([Mistake(f"{file.name}{line}", f"{error.problem}")]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Mistakes([Mistake(file.name, "is not YAML in UTF-8")]) from None


class _Loader(yaml.SafeLoader):
    """YAML as the engine reads it: 1.2 words and numbers, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                problem = f"the key {shown(key.value)} stands here a second time"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# PyYAML takes `no` for false, 1:30 for ninety and a date for a date, as YAML 1.1 did.
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rpartition(":")[2] not in {"bool", "int", "timestamp"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})$"), list("-+0123456789")
)
