"""The table of rate limits in memory: conditional updates and transactions as DynamoDB does them.

It takes just the expressions that the limiter writes, and refuses all others.
"""

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, str]]

_CLAUSE = re.compile(
    r"\(attribute_not_exists\((?P<absent>#\w+)\) OR (?P=absent) <= (?P<limit>:\w+)\)"
    r"|(?P<within>#\w+) BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)"
    r"|(?P<above>#\w+) > (?P<floor>:\w+)"
)
_CHANGE = re.compile(r"(?P<name>#\w+) = (?:(?P<old>#\w+) \+ )?(?P<value>:\w+)")


class RateTable:
    """A client of one table. `writes` are those billed; `before` is called ahead of each request.

    What `before` does happens between a container's decision to write and its write.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.writes = 0
        self.before: Callable[[], None] = lambda: None

    def update_item(self, *, ReturnValues: str, **update: Any) -> dict[str, Any]:  # noqa: N803
        assert ReturnValues == "UPDATED_NEW"
        self.before()
        self.writes += 1
        old = self._item(update)
        if not _holds(update, old):
            raise failed("ConditionalCheckFailedException", **({"Item": old} if old else {}))
        return {"Attributes": self._apply(update)}

    def transact_write_items(self, *, TransactItems: list[Any]) -> None:  # noqa: N803
        self.before()
        updates = [each["Update"] for each in TransactItems]
        self.writes += 2 * len(updates)
        reasons = [_reason(update, self._item(update)) for update in updates]
        if any(reason["Code"] != "None" for reason in reasons):
            raise failed("TransactionCanceledException", CancellationReasons=reasons)
        for update in updates:
            self._apply(update)

    def _item(self, update: dict[str, Any]) -> Item:
        return self.items.get(update["Key"]["rate_limit_key"]["S"], {})

    def _apply(self, update: dict[str, Any]) -> Item:
        old, changed = self._item(update), dict[str, dict[str, str]]()
        names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
        for change in update["UpdateExpression"].removeprefix("SET ").split(", "):
            found = _CHANGE.fullmatch(change)
            assert found, change
            before = int(old[names[found["old"]]]["N"]) if found["old"] else 0
            number = before + int(values[found["value"]]["N"])
            changed[names[found["name"]]] = {"N": str(number)}
        key = update["Key"]["rate_limit_key"]
        self.items[key["S"]] = {"rate_limit_key": key} | old | changed
        return changed


def _holds(update: dict[str, Any], item: Item) -> bool:
    condition = update["ConditionExpression"]
    assert not _CLAUSE.sub("", condition).replace(" AND ", ""), condition
    names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]

    def number(name: str) -> int | None:
        held = item.get(names[name])
        return int(held["N"]) if held else None

    def value(name: str) -> int:
        return int(values[name]["N"])

    def holds(clause: re.Match[str]) -> bool:
        if clause["absent"]:
            found = number(clause["absent"])
            return found is None or found <= value(clause["limit"])
        if clause["within"]:
            found = number(clause["within"])
            return found is not None and value(clause["low"]) <= found <= value(clause["high"])
        found = number(clause["above"])
        return found is not None and found > value(clause["floor"])

    return all(map(holds, _CLAUSE.finditer(condition)))


def _reason(update: dict[str, Any], item: Item) -> dict[str, Any]:
    if _holds(update, item):
        return {"Code": "None"}
    return {"Code": "ConditionalCheckFailed", **({"Item": item} if item else {})}


def failed(code: str, **members: Any) -> ClientError:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}, **members}
    return ClientError(response, "UpdateItem")
