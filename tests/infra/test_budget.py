from tests.infra.engine import Graph


def test_the_budget_of_prod_warns_by_mail(prod: Graph, dev: Graph) -> None:
    budget = prod.one("budgets/budget:Budget").inputs
    assert {n["notificationType"] for n in budget["notifications"]} == {"ACTUAL", "FORECASTED"}
    assert dev.all("budgets/budget:Budget") == []
