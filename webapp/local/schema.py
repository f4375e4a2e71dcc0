"""The JSON Schema of a stack file, from the settings model, for editors that know YAML.

https://json-schema.org/draft-07: the version that editors' YAML support knows best.
"""

from typing import Any

import msgspec
import yaml

from webapp.local.meanings import MEANINGS
from webapp.settings.files import ROOT
from webapp.settings.gateway import Settings
from webapp.settings.mistakes import NAMESPACE
from webapp.settings.read import KEYS
from webapp.settings.stack import Stack

FILE = "tollgate.schema.json"

Schema = dict[str, Any]

_SEALED: Schema = {"type": "object", "required": ["secure"]}
_SECRETS: dict[str, Schema] = {
    "signingKey": {"type": "string"},
    "previousSigningKey": {"type": "string"},
    "upstreamSecrets": {"type": "object", "additionalProperties": _SEALED},
}
_WORDS = {"integer": r"^[+-]?[0-9]+$", "number": r"^[+-]?[0-9]+(\.[0-9]+)?$"}
_OPTIONAL = {field.encode_name for field in msgspec.structs.fields(Stack) if field.default is None}


def declared() -> dict[str, Schema]:
    """What `Pulumi.yaml` says of each key: type, default and description."""
    content = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))
    entries: dict[str, Schema] = content["config"]
    return entries


def stack_file() -> Schema:
    """What a `Pulumi.<stack>.yaml` may hold; what other programs' keys are is left open."""
    shapes, definitions = model()
    entries = declared()
    own = {
        f"{NAMESPACE}:{key}": _described(_from_a_file(key, shapes[key]), entries[key])
        for key in KEYS
    }
    others = {"not": {"pattern": f"^{NAMESPACE}:"}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A stack of Tollgate",
        "type": "object",
        "properties": {
            "config": {
                "type": ["object", "null"],
                "propertyNames": {"anyOf": [{"enum": list(own)}, others]},
                "properties": own,
            }
        },
        "definitions": definitions,
    }


def model() -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The shape of each key, and of the entries that they refer to."""
    (_, _), components = msgspec.json.schema_components(
        [Settings, Stack], ref_template="#/definitions/{name}"
    )
    portable: dict[str, Schema] = _portable(components)
    shapes = portable.pop("Settings")["properties"] | portable.pop("Stack")["properties"]
    for kind, meanings in MEANINGS.items():
        for name, meaning in meanings.items():
            portable[kind.__name__]["properties"][name]["description"] = meaning
    return shapes | _SECRETS, portable


def _portable(schema: Any) -> Any:
    """Without what is Python's: `\\Z` ends a pattern there; and null, which no stack file needs."""
    if isinstance(schema, list):
        return [_portable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: _portable(part) for name, part in schema.items()}
    if isinstance(parts.get("pattern"), str):
        parts["pattern"] = parts["pattern"].replace(r"\Z", "$")
    if "default" in parts and parts["default"] is None:
        del parts["default"]
    options = [option for option in parts.get("anyOf", ()) if option != {"type": "null"}]
    return {**options[0], **_without(parts, "anyOf")} if len(options) == 1 else parts


def _from_a_file(key: str, shape: Schema) -> Schema:
    """With the other forms that a value has in a file: unset, sealed, a scalar as text."""
    unset = ["", [], {}, 0] if key in _OPTIONAL else ["", [], {}]
    other = {"anyOf": [{"enum": unset}, _SEALED]}
    return {"if": other, "then": {}, "else": _or_text(_without(shape, "default", "description"))}


def _or_text(shape: Schema) -> Schema:
    """`pulumi config set` writes numbers and booleans as text."""
    kind = shape.get("type")
    if kind in _WORDS:
        return {**shape, "type": [kind, "string"], "pattern": _WORDS[kind]}
    if kind == "boolean":
        return {"enum": [True, False, "true", "false"]}
    if any(isinstance(option, int) for option in shape.get("enum", ())):
        return {"enum": [*shape["enum"], *map(str, shape["enum"])]}
    return shape


def _described(schema: Schema, entry: Schema) -> Schema:
    default = {"default": entry["default"]} if entry.get("default") not in (None, "", 0) else {}
    return {"description": entry["description"], **default, **schema}


def _without(schema: Schema, *names: str) -> Schema:
    return {name: part for name, part in schema.items() if name not in names}
