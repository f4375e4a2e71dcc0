import pytest

from tests.infra.engine import Graph, Resource, run


def function(graph: Graph) -> Resource:
    return graph.one("lambda/function:Function")


def variables(graph: Graph) -> dict[str, str]:
    return dict(function(graph).inputs["environment"]["variables"])


def test_the_function_knows_its_tables_and_secret_and_no_key(dev: Graph) -> None:
    assert variables(dev) == {
        "TOLLGATE_ENVIRONMENT": "dev",
        "TOLLGATE_LOG_LEVEL": "INFO",
        "TOLLGATE_SESSIONS_TABLE": "tollgate-dev-sessions",
        "TOLLGATE_RATE_LIMITS_TABLE": "tollgate-dev-rate-limits",
        "TOLLGATE_SIGNING_SECRET_ARN": dev.outputs["signing_secret_arn"],
        "TOLLGATE_SIGNING_SECRET_VERSION": "v-1",
    }


@pytest.mark.parametrize(
    ("level", "applied"), [("ERROR", "INFO"), ("INFO", "INFO"), ("DEBUG", "DEBUG")]
)
def test_request_lines_are_never_silenced(level: str, applied: str) -> None:
    logging = function(run("dev", logLevel=level)).inputs["loggingConfig"]
    assert (logging["logFormat"], logging["applicationLogLevel"]) == ("JSON", applied)


@pytest.mark.parametrize(("pin", "version"), [("", "7"), ("3", "3")])
def test_the_alias_stands_on_the_newest_version_or_the_pinned_one(pin: str, version: str) -> None:
    alias = run("dev", pinVersion=pin).one("lambda/alias:Alias")
    assert (alias.inputs["name"], alias.inputs["functionVersion"]) == ("live", version)


PROVISIONED = "lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"


def test_reserved_concurrency_is_a_setting(dev: Graph) -> None:
    assert (
        function(run("dev", reservedConcurrency="50")).inputs["reservedConcurrentExecutions"] == 50
    )
    assert "reservedConcurrentExecutions" not in function(dev).inputs


def test_containers_are_kept_warm_behind_the_alias_whichever_version_it_is_on(dev: Graph) -> None:
    graph = run("dev", reservedConcurrency="50", provisionedConcurrency="2", pinVersion="3")
    warm = graph.one(PROVISIONED).inputs
    assert warm["provisionedConcurrentExecutions"] == 2
    assert (warm["functionName"], warm["qualifier"]) == ("tollgate-dev", "live")
    assert dev.all(PROVISIONED) == []


def test_snap_start_is_of_published_versions(dev: Graph) -> None:
    snap = function(run("dev", snapStart="true")).inputs
    assert (snap["snapStart"], snap["publish"]) == ({"applyOn": "PublishedVersions"}, True)
    assert "snapStart" not in function(dev).inputs
