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


def test_concurrency_and_snap_start_are_settings() -> None:
    graph = run("dev", reservedConcurrency="50", provisionedConcurrency="2")
    assert function(graph).inputs["reservedConcurrentExecutions"] == 50
    provisioned = graph.one("lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    assert provisioned.inputs["provisionedConcurrentExecutions"] == 2
    snap = function(run("dev", snapStart="true")).inputs
    assert (snap["snapStart"], snap["publish"]) == ({"applyOn": "PublishedVersions"}, True)


@pytest.mark.parametrize(("tracing", "mode"), [("false", "PassThrough"), ("true", "Active")])
def test_tracing_makes_segments(tracing: str, mode: str) -> None:
    assert function(run("dev", tracing=tracing)).inputs["tracingConfig"] == {"mode": mode}
