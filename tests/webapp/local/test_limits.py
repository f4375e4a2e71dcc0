import functools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.webapp.containers import Container, container
from webapp.__main__ import main
from webapp.local.limits import LimitedKey, canonical, seconds
from webapp.settings import Policy, Runtime, Settings, read
from webapp.settings.mistakes import Mistakes
from webapp.tables import Stores

PER_IP = Policy(name="per-ip", key="ip", limit=2, window=3600)
PER_USER = Policy(name="per-user", key="user", limit=60, window=60, burst=80)
QUIET = Policy(
    name="quiet", key="user", limit=1, window=9, mode="shadow", routes=("open",), roles=("pro",)
)
BOTH = Policy(name="both", key=("user", "route"), limit=5, window=60)


class Place:
    """A table, the policies of its stack, and a container that counts there."""

    def __init__(self, runtime: Runtime, stores: Stores, gate: Container) -> None:
        self.runtime, self.stores, self.gate = runtime, stores, gate
        self.settings = Settings(rate_limits=(PER_IP, PER_USER, QUIET, BOTH))

    def key(self, key: str) -> LimitedKey:
        table = self.stores.rate_limits_table
        return LimitedKey(key, self.settings, lambda: (self.stores.limits, table), self.gate.clock)

    def statuses(self, times: int) -> list[int]:
        return [self.gate(path="/open").status for _ in range(times)]

    def item(self, key: str) -> dict[str, Any]:
        found = self.stores.limits.get_item(
            TableName=self.stores.rate_limits_table, Key={"rate_limit_key": {"S": key}}
        )
        item: dict[str, Any] = found.get("Item", {})
        return item


@pytest.fixture
def place(runtime: Runtime, stores: Stores) -> Any:
    with container(runtime, PER_IP) as gate:
        yield Place(runtime, stores, gate)


# keys


@pytest.mark.parametrize(
    ("written", "formed"),
    [
        ("ip:198.51.100.7", "ip:198.51.100.7"),
        ("ip:::ffff:198.51.100.7", "ip:198.51.100.7"),
        ("ip:2001:db8::17", "ip:2001:db8::/64"),
        ("ip:2001:db8::/64", "ip:2001:db8::/64"),
        ("sign-in:198.51.100.7", "sign-in:198.51.100.7"),
        ("user:a:b", "user:a:b"),
        ("user:42|route:orders", "user:42|route:orders"),
        ("global", "global"),
    ],
)
def test_a_key_is_written_as_the_gateway_forms_it(written: str, formed: str) -> None:
    assert canonical(written) == formed


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("42", "write kind:value, such as ip:198.51.100.7"),
        ("usr:42", "write kind:value"),
        ("user:", "write kind:value"),
        ("global:x", "write kind:value"),
        ("ip:nowhere", "nowhere is no address"),
        ("ip:198.51.100.0/24", "limits count single IPv4 addresses and IPv6 networks of /64"),
        ("ip:2001:db8::/32", "limits count single IPv4 addresses and IPv6 networks of /64"),
    ],
)
def test_a_key_that_nothing_forms_is_a_mistake(written: str, message: str) -> None:
    with pytest.raises(Mistakes) as raised:
        canonical(written)
    assert str(raised.value).startswith(f"{written}: {message}")


def test_durations() -> None:
    assert [seconds(text) for text in ("90s", "30m", "2h", "7d")] == [90, 1800, 7200, 604_800]
    for text in ("", "2", "h", "0h", "-1h", "1.5h", "2 h"):
        with pytest.raises(Mistakes, match="such as 2h"):
            seconds(text)


# show


def test_show_tells_what_is_left(place: Place) -> None:
    place.statuses(1)
    assert place.key("ip:198.51.100.7").show() == [
        "ip:198.51.100.7",
        "  per-ip: 1 of 2 left, full in 1800 s",
        "  per-user (only who is not signed in): 80 of 80 left, full in 0 s",
        "  quiet (shadow; routes open; roles pro; only who is not signed in):"
        " 1 of 1 left, full in 0 s",
    ]
    place.statuses(1)
    assert "  per-ip: 0 of 2 left, the next one in 1800 s" in place.key("ip:198.51.100.7").show()


def test_show_tells_of_composite_keys_and_the_guard(place: Place) -> None:
    shown = place.key("user:42|route:orders").show()
    assert shown == ["user:42|route:orders", "  both: 5 of 5 left, full in 0 s"]
    shown = place.key("sign-in:198.51.100.7").show()
    assert shown[1] == "  sign-in-guard (failed sign-ins): 10 of 10 left, full in 0 s"


def test_show_tells_of_policies_that_are_gone(place: Place) -> None:
    place.statuses(1)
    place.settings = Settings()
    assert place.key("ip:198.51.100.7").show()[1] == "  per-ip: counted by no policy now"
    assert "no policy counts by user" in place.key("user:42").show()[1]


# reset


def test_after_a_reset_requests_pass_again(place: Place) -> None:
    assert place.statuses(3) == [200, 200, 429]
    (line,) = place.key("ip:198.51.100.7").reset()
    assert line.startswith("ip:198.51.100.7: every bucket is full")
    place.gate.clock.advance(10)
    assert place.statuses(3) == [200, 200, 429]


def test_a_reset_ends_no_block(place: Place) -> None:
    place.statuses(1)
    place.key("ip:198.51.100.7").block("2h")
    place.key("ip:198.51.100.7").reset()
    assert place.statuses(1) == [403]


def test_there_may_be_nothing_to_reset(place: Place) -> None:
    assert place.key("user:42").reset() == ["user:42: nothing is counted"]
    assert place.item("user:42") == {}


# block and unblock


def test_a_blocked_caller_gets_403_and_uses_up_nothing(place: Place) -> None:
    place.statuses(1)
    lines = place.key("ip:198.51.100.7").block("2h")
    assert lines[0] == (
        "ip:198.51.100.7: 403 until 2025-06-15T17:06:40Z, wherever one of these applies:"
    )
    assert lines[1:3] == ["  per-ip", "  per-user (only who is not signed in)"]
    answer = place.gate(path="/open")
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "ratelimit" not in answer.headers
    assert place.gate(path="/open", address="198.51.100.8").status == 200
    shown = place.key("ip:198.51.100.7").show()
    assert shown[1] == "  per-ip: 1 of 2 left, full in 1800 s"
    assert shown[-1] == "  blocked until 2025-06-15T17:06:40Z"


def test_a_block_ends(place: Place) -> None:
    place.key("ip:198.51.100.7").block("30m")
    assert place.statuses(1) == [403]
    place.gate.clock.advance(1800)
    assert place.statuses(1) == [200]


def test_a_block_lasts_until_unblocked(place: Place) -> None:
    limited = place.key("ip:198.51.100.7")
    assert "403 until unblocked" in limited.block(None)[0]
    assert limited.show()[-1] == "  blocked until unblocked"
    place.gate.clock.advance(10 * 365 * 86_400)
    assert place.statuses(1) == [403]
    assert limited.unblock() == [
        "ip:198.51.100.7: no longer blocked; containers notice within 10 s"
    ]
    place.gate.clock.advance(10)
    assert place.statuses(1) == [200]
    assert limited.unblock() == ["ip:198.51.100.7: is not blocked"]


def test_a_block_outlives_neither_counters_nor_itself(place: Place) -> None:
    now = place.gate.clock() // 10**9
    for duration, least in (("1s", now + 3600), ("2h", now + 7200)):
        place.key("ip:198.51.100.7").block(duration)
        assert int(place.item("ip:198.51.100.7")["ttl"]["N"]) > least


@pytest.mark.parametrize("key", ["session:5e55|ip:198.51.100.7", "global", "sign-in:198.51.100.7"])
def test_a_key_that_no_write_looks_at_cannot_be_blocked(place: Place, key: str) -> None:
    with pytest.raises(Mistakes, match="cannot be blocked so: no policy counts by"):
        place.key(key).block("2h")


# the command


@pytest.fixture
def command(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    (tmp_path / "Pulumi.yaml").write_text("name: tollgate\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config: {'tollgate:upstreams': {}, 'tollgate:routes': [],"
        " 'tollgate:rateLimits': [{name: per-ip, key: ip, limit: 2, window: 3600}]}\n"
    )
    load = functools.partial(read.load, directory=tmp_path)
    monkeypatch.setattr("webapp.settings.read.load", load)
    monkeypatch.setenv("TOLLGATE_RATE_LIMITS_TABLE", place.runtime.rate_limits_table)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["limits", *arguments])

    return run


def test_the_commands_act_on_the_table(place: Place, command: Any) -> None:
    key = "ip:198.51.100.7"
    assert command("show", key).output == f"{key}\n  per-ip: 2 of 2 left, full in 0 s\n"
    assert command("block", key, "--for", "2h").exit_code == 0
    assert "  blocked until 20" in command("show", key).output
    assert command("unblock", key).output.startswith(f"{key}: no longer blocked")
    assert command("reset", key).output == f"{key}: nothing is counted\n"


def test_a_script_gets_json(place: Place, command: Any) -> None:
    key = "ip:198.51.100.7"

    def shown() -> Any:
        return json.loads(command("show", key, "--json").stdout)

    full = {"name": "per-ip", "note": "", "left": 2, "of": 2, "full_in": 0, "next_in": 0}
    assert shown() == {
        "key": key,
        "policies": [full],
        "without_policy": [],
        "blocked_until": None,
    }
    place.gate.clock.now = time.time_ns()
    place.statuses(2)
    (empty,) = shown()["policies"]
    assert (empty["left"], 1790 < empty["next_in"] <= 1800 < empty["full_in"]) == (0, True)
    command("block", key)
    assert shown()["blocked_until"].startswith("9999-12-31T")


def test_mistakes_are_one_line(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, line in (
        (("show", "42"), "42: write kind:value"),
        (("block", "user:42"), "user:42: cannot be blocked so"),
        (("block", "ip:198.51.100.7", "--for", "soon"), "--for soon: write a number"),
    ):
        result = command(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(line)
        assert result.stderr.count("\n") == 1
    monkeypatch.setenv("TOLLGATE_RATE_LIMITS_TABLE", "gone")
    result = command("show", "ip:198.51.100.7")
    assert result.stderr.startswith("table gone: does not answer: ")
