"""Held against the installed botocore, which is the one that `webapp/requirements.txt` locks."""

import json
import shutil
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from infra import sdk

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
    assert cut.service_model.operation_names == whole.service_model.operation_names


def test_models_lose_only_what_people_read(data: Path) -> None:
    operation = client("dynamodb", "eu-central-1", data).meta.service_model.operation_model(
        "GetItem"
    )
    whole = client("dynamodb", "eu-central-1").meta.service_model.operation_model("GetItem")
    assert operation.documentation == ""
    assert whole.documentation != ""
    assert operation.output_shape.members.keys() == whole.output_shape.members.keys()
    assert operation.input_shape.required_members == whole.input_shape.required_members


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
