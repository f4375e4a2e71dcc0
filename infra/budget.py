"""The budget: a mail before the month costs more than it should."""

import pulumi
import pulumi_aws as aws

from infra.settings import Deployment

# Of the month's limit: forecast to exceed it, most of it spent, all of it spent.
_WARNINGS = (("FORECASTED", 100.0), ("ACTUAL", 80.0), ("ACTUAL", 100.0))


class Budget(pulumi.ComponentResource):
    """Over the resources that carry `budgetTag`, or over the whole account."""

    def __init__(
        self, deployment: Deployment, limit: float, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tollgate:infra:Budget", deployment.name, None, opts)
        stack = deployment.stack
        aws.budgets.Budget(
            f"{deployment.name}-monthly",
            budget_type="COST",
            limit_amount=f"{limit:.2f}",
            limit_unit="USD",
            time_unit="MONTHLY",
            cost_filters=_filters(stack.budget_tag),
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=threshold,
                    threshold_type="PERCENTAGE",
                    subscriber_email_addresses=[stack.budget_email],
                )
                for kind, threshold in _WARNINGS
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _filters(tag: str) -> list[aws.budgets.BudgetCostFilterArgs] | None:
    """AWS Budgets writes a tag as `user:Key$Value`."""
    if not tag:
        return None
    key, _, value = tag.partition("=")
    return [aws.budgets.BudgetCostFilterArgs(name="TagKeyValue", values=[f"user:{key}${value}"])]
