"""The data of the AWS SDK, nine tenths of an untrimmed package, cut down to the services used.

Every client parses its part of it when it is made, so that what is cut saves time as well.
"""

import gzip
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DATA = "botocore/data"

SERVICES = {
    "dynamodb": ("2012-08-10", "sessions and limits"),
    "secretsmanager": ("2017-10-17", "the signing keys"),
    "sts": ("2011-06-15", "credentials from an assumed role, where the environment names one"),
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
    """Leave the services listed, without their documentation, in plain JSON: the zip packs it."""
    data = tree / DATA
    for path in data.iterdir():
        if path.is_dir() and path.name not in SERVICES:
            shutil.rmtree(path)
    for service, (version, _) in SERVICES.items():
        for path in (data / service).iterdir():
            if path.name != version:
                shutil.rmtree(path)
        for path in (data / service / version).iterdir():
            _rewrite(path)
    endpoints = data / "endpoints.json"
    endpoints.write_bytes(_packed(only(json.loads(endpoints.read_bytes()), SERVICES)))


def _rewrite(path: Path) -> None:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    path.unlink()
    if path.name not in CUTS:
        path.with_name(path.name.removesuffix(".gz")).write_bytes(
            _packed(undocumented(json.loads(content)))
        )


def undocumented(value: Any) -> Any:
    """A service's model without what only people read; a member of that name is no text."""
    if isinstance(value, dict):
        return {
            key: undocumented(entry)
            for key, entry in value.items()
            if not (key == "documentation" and isinstance(entry, str))
        }
    return [undocumented(entry) for entry in value] if isinstance(value, list) else value


def only(endpoints: dict[str, Any], services: Iterable[str]) -> dict[str, Any]:
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
