"""The reference of the configuration, as Markdown: each key, what it takes, and what it means."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from webapp.errors import STATUS
from webapp.local.schema import Schema, declared, model
from webapp.settings.read import KEYS
from webapp.settings.stack import Stack

OF_THE_STACK = tuple(field.encode_name for field in msgspec.structs.fields(Stack))
OF_THE_GATEWAY = tuple(key for key in KEYS if key not in OF_THE_STACK)


def reference(names: Sequence[str]) -> str:
    """A table of these keys, then one of the fields of each that holds objects."""
    shapes, entries = model()
    parts = [keys(names)]
    for key in names:
        if entry := _entry(shapes[key]):
            parts += [f"### {key}", _fields(entries[entry])]
    return "\n\n".join(parts)


def overview(names: Sequence[str], details: str) -> str:
    """A table of these keys in brief; those with fields lead to the page `details`."""
    shapes, _ = model()
    said = declared()
    links = {k: f"[`{k}`]({details}#{k.lower()})" if _entry(shapes[k]) else f"`{k}`" for k in names}
    return table(
        ("key", "default", "what it is"),
        ((links[k], _default(said[k]), said[k]["description"]) for k in names),
    )


def keys(names: Sequence[str]) -> str:
    """A table of these keys."""
    shapes, _ = model()
    said = declared()
    return table(
        ("key", "value", "default", "what it is"),
        ((f"`{k}`", words(shapes[k]), _default(said[k]), said[k]["description"]) for k in names),
    )


def _fields(entry: Schema) -> str:
    required = entry["required"]
    return table(
        ("field", "value", "default", "what it is"),
        (
            (
                f"`{name}`",
                words(field),
                "required" if name in required else shown(field.get("default")),
                field["description"],
            )
            for name, field in entry["properties"].items()
        ),
    )


def words(shape: Schema) -> str:
    """What a value may be."""
    if entry := _entry(shape):
        said = {"array": "list of objects", "object": "name to object"}
        return f"[{said.get(shape.get('type', ''), 'object')}](#{_anchor(entry)})"
    if "anyOf" in shape:
        return " or ".join(map(words, shape["anyOf"]))
    if "enum" in shape:
        return _either([f"`{option}`" for option in shape["enum"] if option != ""])
    match shape["type"]:
        case "array":
            items = shape["items"]
            return f"list of {words(items)}" if "enum" in items else "list of text"
        case "object":
            return "name to text"
        case "integer" | "number":
            return _range(shape)
        case "boolean":
            return "`true` or `false`"
    return "text"


def shown(default: Any) -> str:
    """A default as a stack file would write it; nothing when the key is unset."""
    if default in (None, "", [], {}) and default is not False:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def errors() -> str:
    """A table of the codes that the gateway refuses with."""
    codes: dict[int, list[str]] = {}
    for code, status in sorted(STATUS.items(), key=lambda entry: entry[1]):
        codes.setdefault(status, []).append(f"`{code}`")
    return table(("status", "codes"), ((str(s), ", ".join(named)) for s, named in codes.items()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, row)) + " |" for row in cells)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(entry: Schema) -> str:
    default = entry.get("default", "required")
    if default == "required" or (isinstance(default, list) and default):
        return "required" if default == "required" else "the sample's"
    return "" if default == 0 and default is not False else shown(default)


def _entry(shape: Schema) -> str | None:
    """The name of the objects that a value is made of."""
    inner = shape.get("items") or shape.get("additionalProperties") or shape
    reference = inner.get("$ref") if isinstance(inner, dict) else None
    return reference.rpartition("/")[2] if reference else None


def _anchor(entry: str) -> str:
    shapes, _ = model()
    return next(key.lower() for key, other in shapes.items() if _entry(other) == entry)


def _range(shape: Schema) -> str:
    least, most = shape.get("minimum"), shape.get("maximum")
    if least is not None and most is not None:
        return f"{least} to {most}"
    if least is not None:
        return f"{least} or more"
    return "above 0" + (f", at most {most}" if most is not None else "")


def _either(options: Sequence[str]) -> str:
    return ", ".join(options[:-1]) + (" or " if len(options) > 1 else "") + options[-1]
