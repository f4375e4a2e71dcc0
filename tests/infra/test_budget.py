from typing import Any

from tests.infra.engine import Graph, run


def budget(graph: Graph) -> Any:
    return graph.one("budgets/budget:Budget").inputs


def test_the_budget_of_prod_is_dollars_a_month_of_the_whole_account(prod: Graph) -> None:
    made = budget(prod)
    assert (made["limitAmount"], made["limitUnit"], made["timeUnit"]) == (
        "100.00",
        "USD",
        "MONTHLY",
    )
    assert "costFilters" not in made


def test_it_warns_one_address_by_mail(prod: Graph) -> None:
    notifications = budget(prod)["notifications"]
    told = [(n["notificationType"], n["threshold"]) for n in notifications]
    assert sorted(told) == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    assert [n["subscriberEmailAddresses"] for n in notifications] == [["ops@example.com"]] * 3


def test_there_is_none_unless_one_is_set(dev: Graph) -> None:
    assert dev.all("budgets/budget:Budget") == []


def test_a_tag_narrows_it_to_what_carries_the_tag() -> None:
    limited = {"monthlyBudgetUsd": "12.5", "budgetEmail": "money@example.com"}
    made = budget(run("dev", **limited, budgetTag="Project=tollgate"))
    assert made["limitAmount"] == "12.50"
    assert made["costFilters"] == [{"name": "TagKeyValue", "values": ["user:Project$tollgate"]}]
