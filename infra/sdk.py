"""The data of the AWS SDK, nine tenths of an untrimmed package, cut down to the services used.

Every client parses its part of it when it is made, so that what is cut saves time as well.
"""

import gzip
import json
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

DATA = "botocore/data"

SERVICES = {
    "dynamodb": ("2012-08-10", "sessions and limits"),
    "secretsmanager": ("2017-10-17", "the signing keys"),
    "sts": ("2011-06-15", "credentials from an assumed role, where the environment names one"),
}

# At run time the function makes no control-plane calls: of tables it knows only the items.
OPERATIONS = {
    "dynamodb": {
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
        *("BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"),
    },
    "secretsmanager": {"GetSecretValue"},
    "sts": {"AssumeRole", "AssumeRoleWithWebIdentity"},
}

FILES = {
    "_retry.json": "how often to try again",
    "endpoints.json": "the hosts of the services, by region",
    "partitions.json": "the hosts of the services, by partition",
    "sdk-default-configuration.json": "the defaults of the SDKs",
}

# Examples and pages of results are for people and for lists; nothing here waits for a table.
CUTS = ("examples-1.json", "paginators-1.json", "waiters-2.json")


def cut(tree: Path) -> None:
    """Leave the services and operations listed, in plain JSON without documentation.

    Plain, for the zip packs it anyway, and what is not packed twice is read sooner.
    """
    data = tree / DATA
    for path in data.iterdir():
        if path.is_dir() and path.name not in SERVICES:
            shutil.rmtree(path)
    for service, (version, _) in SERVICES.items():
        for path in (data / service).iterdir():
            if path.name != version:
                shutil.rmtree(path)
        for path in (data / service / version).iterdir():
            _rewrite(path, OPERATIONS[service])
    endpoints = data / "endpoints.json"
    endpoints.write_bytes(_packed(of_services(json.loads(endpoints.read_bytes()), SERVICES)))


def _rewrite(path: Path, operations: Collection[str]) -> None:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    path.unlink()
    name = path.name.removesuffix(".gz")
    if name in CUTS:
        return
    value = json.loads(content)
    if name == "service-2.json":
        value = of_operations(undocumented(value), operations)
    path.with_name(name).write_bytes(_packed(value))


def undocumented(value: Any) -> Any:
    """A service's model without what only people read; a member of that name is no text."""
    if isinstance(value, dict):
        return {
            key: undocumented(entry)
            for key, entry in value.items()
            if not (key == "documentation" and isinstance(entry, str))
        }
    return [undocumented(entry) for entry in value] if isinstance(value, list) else value


def of_operations(model: dict[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """A service's model with only these operations, and the shapes that they are made of."""
    kept = {name: model["operations"][name] for name in sorted(operations)}
    reached: set[str] = set()
    waiting = list(_shapes(kept))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _shapes(model["shapes"][name])
    shapes = {name: shape for name, shape in model["shapes"].items() if name in reached}
    return model | {"operations": kept, "shapes": shapes}


def _shapes(value: Any) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(value, dict):
        if isinstance(name := value.get("shape"), str):
            yield name
        for entry in value.values():
            yield from _shapes(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _shapes(entry)


def of_services(endpoints: dict[str, Any], services: Collection[str]) -> dict[str, Any]:
    """`endpoints.json` with all partitions and regions, but only these services."""
    return endpoints | {
        "partitions": [
            partition
            | {"services": {k: v for k, v in partition["services"].items() if k in services}}
            for partition in endpoints["partitions"]
        ]
    }


def _packed(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
