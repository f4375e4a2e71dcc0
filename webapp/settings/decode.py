"""Plain values to the structs of the model, so that every mistake is found, not only the first.

A value that does not fit leaves its place and a message in `found` and its default in the struct,
so that the rest of the entry is still read.
"""

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from webapp.settings.mistakes import Mistake, member, shown, suggestion

T = TypeVar("T", bound=Struct)

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _Shape(NamedTuple):
    """A type without its annotation."""

    kind: Any
    origin: Any
    arguments: tuple[Any, ...]
    meta: Meta


def struct(kind: type[T], values: object, place: str, found: list[Mistake]) -> T:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    if not isinstance(values, Mapping):
        found.append(Mistake(place, f"expected an object, got {shown(values)}"))
        return kind(**{field.name: spare(field) for field in fields.values()})
    for key in values:
        if key not in fields:
            hint = suggestion(key, fields) or f"; the keys are {', '.join(fields)}"
            found.append(Mistake(member(place, key), f"unknown key{hint}"))
    read = {}
    for name, field in fields.items():
        read[field.name] = spare(field)
        if name in values:
            where = member(place, name)
            read[field.name] = value(field.type, values[name], where, found, spare(field))
        elif field.required:
            found.append(Mistake(member(place, name), "is missing"))
    return kind(**read)


def value(kind: Any, raw: object, place: str, found: list[Mistake], otherwise: object) -> Any:
    """`raw` as a `kind`, or `otherwise` and a mistake."""
    shape = _shape(kind, raw)
    if isinstance(shape.kind, type) and issubclass(shape.kind, Struct):
        return struct(shape.kind, raw, place, found)
    if shape.origin is tuple and isinstance(raw, list | tuple):
        item = shape.arguments[0]
        return tuple(
            value(item, entry, f"{place}[{index}]", found, _blank(item))
            for index, entry in enumerate(raw)
        )
    if shape.origin is dict and isinstance(raw, Mapping):
        return _dict(shape, raw, place, found)
    return _leaf(shape, raw, place, found, otherwise)


def from_text(kind: Any, raw: object) -> object:
    """A top-level value in the form its type has: the engine hands over text, and JSON for objects.

    Text that is no number stays text, so that it is reported as such.
    """
    shape = _shape(kind, raw)
    if shape.kind is str and isinstance(raw, bool | int | float):
        return shown(raw) if isinstance(raw, bool) else str(raw)
    if not isinstance(raw, str):
        return raw
    if shape.kind is bool:
        return {"true": True, "false": False}.get(raw, raw)
    if shape.kind in (int, float) or (shape.origin is Literal and 1 in shape.arguments):
        return _number(raw)
    if shape.kind is str or shape.origin is Literal:
        return raw
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return raw


def spare(field: FieldInfo) -> Any:
    """What stands in for a value of this field that is absent or wrong."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return _blank(field.type) if field.required else field.default


def _number(raw: str) -> object:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", raw):
        return int(raw)
    return float(raw) if re.fullmatch(r"[+-]?[0-9]{1,18}\.[0-9]{1,18}", raw) else raw


def _dict(shape: _Shape, raw: Mapping[Any, object], place: str, found: list[Mistake]) -> Any:
    key_kind, kind = shape.arguments
    read = {}
    for key, entry in raw.items():
        where = member(place, key)
        name = _leaf(_shape(key_kind, key), key, where, found, str(key))
        read[name] = value(kind, entry, where, found, _blank(kind))
    return read


def _leaf(shape: _Shape, raw: object, place: str, found: list[Mistake], otherwise: object) -> Any:
    try:
        if shape.origin in (tuple, dict) or not isinstance(raw, str | int | float):
            raise msgspec.ValidationError
        read = msgspec.convert(raw, Annotated[shape.kind, shape.meta])
    except msgspec.ValidationError:
        found.append(Mistake(place, f"expected {_wanted(shape)}, got {_got(shape, raw)}"))
        return otherwise
    if isinstance(read, str) and _UNPRINTABLE.search(read):
        found.append(Mistake(place, "holds a control character or half a character; retype it"))
        return otherwise
    if read == float("inf"):
        found.append(Mistake(place, "must be a finite number"))
        return otherwise
    return read


def _shape(kind: Any, raw: object) -> _Shape:
    """`kind` unwrapped; of a union the member that a value such as `raw` is meant for."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        members = [option for option in get_args(kind) if option is not types.NoneType]
        listed = isinstance(raw, list | tuple)
        meant = [option for option in members if (get_origin(option) is tuple) == listed]
        return _shape((meant or members)[0], raw)
    if origin is Annotated:
        inner, meta = get_args(kind)[:2]
        return _Shape(inner, get_origin(inner), get_args(inner), meta)
    return _Shape(kind, origin, get_args(kind), Meta())


def _wanted(shape: _Shape) -> str:
    meta = shape.meta
    if meta.description:
        return meta.description
    if shape.origin is Literal:
        return "one of " + ", ".join(shown(option) for option in shape.arguments if option != "")
    if shape.origin in (tuple, dict):
        return "a list" if shape.origin is tuple else "an object"
    above = "" if meta.gt is None else f" above {meta.gt}"
    least = "" if meta.ge is None else f" of at least {meta.ge}"
    most = "" if meta.le is None else f"{' and' if above or least else ' of'} at most {meta.le}"
    return _WORDS[shape.kind] + above + least + most


def _got(shape: _Shape, raw: object) -> str:
    if shape.kind is str and isinstance(raw, bool | int | float):
        return f"{shown(raw)} (put it in quotes)"
    if shape.origin is Literal and isinstance(raw, str):
        return shown(raw) + suggestion(raw, [str(option) for option in shape.arguments])
    return shown(raw)


def _blank(kind: Any) -> Any:
    """Stands in for a required value that is missing or wrong."""
    shape = _shape(kind, None)
    if isinstance(shape.kind, type) and issubclass(shape.kind, Struct):
        fields = msgspec.structs.fields(shape.kind)
        return shape.kind(**{field.name: spare(field) for field in fields})
    if shape.origin is Literal:
        return shape.arguments[0]
    return {str: "", int: 1, float: 1.0, bool: False}.get(shape.kind, ())
