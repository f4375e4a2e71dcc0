import pytest

from bench.loading.verdict import Check, Entry, Report, Surprise, checks, table


def entry(name: str = "read", requests: int = 1000, unexpected: int = 0, ms: int = 20) -> Entry:
    return Entry(name, requests, unexpected, {ms: requests})


def judged(*entries: Entry, refusals: tuple[str, ...] = ()) -> list[Check]:
    return list(checks(Report(10, list(entries), []), refusals, 500, 2000))


def failed(*entries: Entry, refusals: tuple[str, ...] = ()) -> list[str]:
    return [check.told for check in judged(*entries, refusals=refusals) if not check.passed]


def test_a_good_run_passes() -> None:
    entries = (entry(), entry("wrong role: 403", 3))
    assert failed(*entries, refusals=("wrong role: 403",)) == []


def test_every_check_says_what_was_measured_and_why_it_matters() -> None:
    rate, p95, p99 = (check.told for check in judged(entry()))
    assert rate.startswith("0.00% unexpected answers, at most 0.10%: ")
    assert p95.startswith("p95 20 ms, at most 500 ms: ")
    assert p99.startswith("p99 20 ms, at most 2000 ms: ")


@pytest.mark.parametrize(("unexpected", "passes"), [(1, True), (2, False)])
def test_one_unexpected_answer_in_a_thousand_will_do(unexpected: int, passes: bool) -> None:
    assert (failed(entry(unexpected=unexpected)) == []) == passes


def test_slow_answers_fail() -> None:
    slow = Entry("read", 100, 0, {20: 94, 501: 5, 2001: 1})
    assert [told.partition(",")[0] for told in failed(slow)] == ["p95 501 ms"]
    slower = Entry("read", 100, 0, {20: 98, 2001: 2})
    assert [told.partition(",")[0] for told in failed(slower)] == ["p99 2001 ms"]


def test_a_refusal_that_never_came_fails() -> None:
    told = "refused as it must be: over the limit: 429, never; the run may be too short for it"
    assert failed(entry(), refusals=("over the limit: 429",)) == [told]


def test_a_refusal_that_was_not_as_expected_is_none() -> None:
    wrong = entry("over the limit: 429", 1, unexpected=1)
    assert len(failed(entry(requests=10_000), wrong, refusals=("over the limit: 429",))) == 1


def test_no_requests_at_all_fail() -> None:
    assert failed()[0].startswith("100.00% unexpected")


@pytest.mark.parametrize(("share", "took"), [(0.1, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_percentiles(share: float, took: int) -> None:
    assert Entry("read", 100, 0, dict.fromkeys(range(1, 101), 1)).percentile(share) == took


def test_the_table_ends_with_all_and_the_surprises() -> None:
    surprises = [Surprise("read", "502 upstream_unreachable, not 2xx", 2)]
    report = Report(10, [entry(ms=10), entry("write", 500, 2, ms=30)], surprises)
    lines = list(table(report))
    assert [line.split()[0] for line in lines[1:-1]] == ["read", "write", "all"]
    assert lines[-2].split() == ["all", "1500", "2", "10", "30", "30"]
    assert lines[-1] == "unexpected: read: 502 upstream_unreachable, not 2xx (2 times)"
