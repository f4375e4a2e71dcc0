"""The gateway under load: a realistic mix of callers, and whether it held.

`python -m bench.load` starts one on this machine; with --url it drives one that is deployed.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace as altered
from pathlib import Path

import click
import msgspec
import requests
from msgspec.structs import asdict, replace

from bench.loading.plan import Plan, limited, planned
from bench.loading.verdict import Check, Report, checks, table
from webapp.local.commands.options import json_option, mistakes_reported, stack_option
from webapp.local.requestline import RequestLines
from webapp.local.running import running
from webapp.settings.read import Configuration, load

ROOT = Path(__file__).parent.parent
LEAST_USERS = 5  # one of each kind

_HERE = (
    "the embedded stores answer one request at a time: latencies are this machine's, not Lambda's"
)


@click.command(epilog="Example: python -m bench.load --url https://api.example.com --stack prod")
@click.option(
    "--url",
    callback=lambda _context, _option, url: url and _answering(url),
    help="A deployed gateway's address; without one it is started here.",
)
@stack_option
@click.option(
    "--users",
    default=20,
    show_default=True,
    type=click.IntRange(LEAST_USERS, 10_000),
    help="Callers at a time, about one request a second each.",
)
@click.option(
    "--seconds", default=30, show_default=True, type=click.IntRange(5, 86_400), help="How long."
)
@click.option(
    "--credentials",
    metavar="JSON",
    help="What the sign-in route takes; USER in it becomes load-1, load-2, ...",
)
@click.option(
    "--token",
    envvar="TOLLGATE_LOAD_TOKEN",
    show_envvar=True,
    help="One token for all, instead of signing in.",
)
@click.option("--writes", is_flag=True, help="POST to a deployed gateway's services, too.")
@click.option(
    "--p95",
    default=500,
    show_default=True,
    type=click.IntRange(1),
    help="Most milliseconds for 95 of 100.",
)
@click.option(
    "--p99",
    default=2000,
    show_default=True,
    type=click.IntRange(1),
    help="Most milliseconds for 99 of 100.",
)
@json_option
def main(
    url: str | None,
    stack: str,
    users: int,
    seconds: int,
    credentials: str | None,
    token: str | None,
    writes: bool,
    p95: int,
    p99: int,
    as_json: bool,
) -> None:
    """Drive a gateway with a mix of callers, and judge what came of it.

    Visitors, programs and browsers sign in, read, write and refresh, a noisy client runs into its
    limit, a stranger tries what must be refused. The routes are those of the stack; who signs in
    must have the role that the route for reading needs, and no other. On this machine one limit for
    each user replaces those of the stack. A deployed gateway keeps its own: list this machine in
    `exempt` of those that count by address. With --token nobody signs in or out, and nobody is
    noisy, since all would share the limit.

    Status 0: it held; 1: it did not; 2: wrong usage, or mistakes in the stack's configuration.
    """
    with mistakes_reported():
        configuration = load(stack)
    plan = replace(planned(configuration.settings), users=users, seconds=seconds, token=token or "")
    if credentials:
        plan = replace(plan, credentials=credentials)
    if url and not writes:
        plan = replace(plan, write="")
    with nullcontext(url) if url else _here(configuration) as address:
        report = played(replace(plan, url=address))
    judged = list(checks(report, plan.refusals, p95, p99))
    passed = all(check.passed for check in judged)
    click.echo(_json(report, judged) if as_json else "\n".join(_lines(plan, url, report, judged)))
    sys.exit(0 if passed else 1)


def _answering(url: str) -> str:
    """Where a load could not reach anybody, it is not begun."""
    try:
        answer = requests.get(f"{url.rstrip('/')}/health", timeout=10, allow_redirects=False)
    except requests.RequestException as error:
        reason = type(error).__name__
        raise click.BadParameter(
            f"{url} does not answer ({reason}); write it as https://api.example.com"
        ) from None
    if answer.status_code != 200:
        raise click.BadParameter(f"{url}/health answers {answer.status_code}; is it a gateway?")
    return url.rstrip("/")


@contextmanager
def _here(configuration: Configuration) -> Iterator[str]:
    """A gateway of this stack on this machine, behind it demo services; its address."""
    settings = limited(configuration.settings)
    quiet = RequestLines(lambda _: None)
    with running(altered(configuration, settings=settings), 0, {}, quiet) as gateway:
        yield gateway.url


def played(plan: Plan) -> Report:
    """The load in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.loading.mix"],
        input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
    )
    return msgspec.json.decode(run.stdout, type=Report)


def _lines(plan: Plan, url: str | None, report: Report, judged: list[Check]) -> Iterator[str]:
    yield f"{url or 'a gateway on this machine'}: {plan.users} callers, {report.seconds} s"
    yield ""
    yield from plan.lines
    yield ""
    yield from table(report)
    yield ""
    for check in judged:
        yield f"{'ok  ' if check.passed else 'FAIL'}  {check.told}"
    if not url:
        yield f"note  {_HERE}"


def _json(report: Report, judged: list[Check]) -> str:
    entries = [
        {
            "name": entry.name,
            "requests": entry.requests,
            "unexpected": entry.unexpected,
            **{f"p{share}_ms": entry.percentile(share) for share in (50, 95, 99)},
        }
        for entry in (*report.entries, report.total)
    ]
    document = {
        "passed": all(check.passed for check in judged),
        "seconds": report.seconds,
        "entries": entries,
        "surprises": [asdict(surprise) for surprise in report.surprises],
        "checks": [check._asdict() for check in judged],
    }
    return msgspec.json.encode(document).decode()


if __name__ == "__main__":
    main(prog_name="python -m bench.load")
