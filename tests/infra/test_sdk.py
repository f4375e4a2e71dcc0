"""Held against the installed botocore, which is the one that `webapp/requirements.txt` locks."""

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore import xform_name
from botocore.loaders import Loader

from infra import sdk
from infra.package import shipped

INSTALLED = Path(botocore.__file__).parent / "data"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of the data of the SDK; one service more is there to be cut."""
    tree = tmp_path_factory.mktemp("tree")
    data = tree / sdk.DATA
    for name in (*sdk.SERVICES, "polly"):
        shutil.copytree(INSTALLED / name, data / name)
    for path in INSTALLED.glob("*.json"):
        shutil.copy(path, data)
    sdk.cut(tree)
    return data


def client(service: str, region: str, data: Path | None = None) -> Any:
    session = botocore.session.Session()
    if data:
        loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        session.register_component("data_loader", loader)
    return session.create_client(service, region_name=region)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "unused")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unused")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.parametrize("service", sdk.SERVICES)
@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_clients_of_the_cut_data_go_where_those_of_the_whole_go(
    data: Path, service: str, region: str
) -> None:
    cut, whole = client(service, region, data).meta, client(service, region).meta
    assert cut.endpoint_url == whole.endpoint_url
    assert set(cut.service_model.operation_names) == sdk.OPERATIONS[service]
    assert sdk.OPERATIONS[service] <= set(whole.service_model.operation_names)


def test_operations_lose_only_what_people_read(data: Path) -> None:
    cut = client("dynamodb", "eu-central-1", data).meta.service_model
    whole = client("dynamodb", "eu-central-1").meta.service_model
    assert cut.operation_model("UpdateItem").documentation == ""
    for name in sdk.OPERATIONS["dynamodb"]:
        mine, theirs = cut.operation_model(name), whole.operation_model(name)
        assert spelled(mine.input_shape) == spelled(theirs.input_shape)
        assert spelled(mine.output_shape) == spelled(theirs.output_shape)
        assert [e.name for e in mine.error_shapes] == [e.name for e in theirs.error_shapes]


def spelled(shape: Any, depth: int = 6) -> object:
    """A shape and those that it is made of, as deep as attribute values need."""
    parts = {**getattr(shape, "members", {})}
    parts |= {k: getattr(shape, k) for k in ("member", "key", "value") if hasattr(shape, k)}
    inner = {k: spelled(part, depth - 1) for k, part in parts.items()} if depth else {}
    return (shape.name, shape.type_name, shape.serialization, inner)


def test_every_operation_that_the_gateway_calls_is_kept() -> None:
    session = botocore.session.Session()
    called = {
        node.attr
        for _, source in shipped()
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Attribute)
    }
    for service, operations in sdk.OPERATIONS.items():
        offered = session.get_service_model(service).operation_names
        calls = {name for name in offered if xform_name(name) in called}
        assert calls <= operations, "add it to infra.sdk.OPERATIONS"
        assert calls or service == "sts"


def test_nothing_else_is_left(data: Path) -> None:
    assert {path.name for path in data.iterdir()} == {*sdk.SERVICES, *sdk.FILES}
    for service, (version, _) in sdk.SERVICES.items():
        assert [path.name for path in (data / service).iterdir()] == [version]


def test_the_lists_name_what_the_sdk_has_and_all_of_its_files() -> None:
    assert {path.name for path in INSTALLED.glob("*.json")} == sdk.FILES.keys(), (
        "infra.sdk.FILES is stale"
    )
    for service, (version, _) in sdk.SERVICES.items():
        newest = max(path.name for path in (INSTALLED / service).iterdir() if path.is_dir())
        assert newest == version, f"infra.sdk.SERVICES is stale: {service} has {newest}"


def test_a_member_called_documentation_stays() -> None:
    model = {"documentation": "text", "members": {"documentation": {"shape": "A"}, "list": [{}]}}
    assert sdk.undocumented(model) == {"members": {"documentation": {"shape": "A"}, "list": [{}]}}


def test_hosts_keep_every_partition_and_its_regions(data: Path) -> None:
    whole = json.loads((INSTALLED / "endpoints.json").read_text())
    cut = json.loads((data / "endpoints.json").read_text())
    assert [p["regions"] for p in cut["partitions"]] == [p["regions"] for p in whole["partitions"]]
    assert all(p["services"].keys() <= sdk.SERVICES.keys() for p in cut["partitions"])
