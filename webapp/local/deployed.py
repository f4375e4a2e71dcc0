"""What a deployed stack is made of, as the engine's command line tells it."""

import os
import shutil
import subprocess
from collections.abc import Sequence

import botocore.session
from botocore.client import BaseClient

from webapp.settings.files import ROOT
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.tables import PATIENT


def rate_limits(stack: str) -> tuple[BaseClient, str]:
    """A client and the name of the table with the rate limits. Raises Mistakes.

    TOLLGATE_RATE_LIMITS_TABLE and AWS_REGION name another one than the stack's.
    """
    table = os.environ.get("TOLLGATE_RATE_LIMITS_TABLE")
    table = table or _pulumi(stack, "stack", "output", "rate_limits_table_name")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = region or _pulumi(stack, "config", "get", "aws:region")
    session = botocore.session.get_session()
    return session.create_client("dynamodb", region_name=region, config=PATIENT), table


def _pulumi(stack: str, *arguments: str) -> str:
    place, command = f"--stack {stack}", shutil.which("pulumi")
    if not command:
        remedy = "install it, or set TOLLGATE_RATE_LIMITS_TABLE and AWS_REGION"
        raise Mistakes([Mistake(place, f"pulumi is not installed; {remedy}")])
    done = _run([command, *arguments, "--stack", stack, "--non-interactive"])
    if done.returncode:
        said = done.stderr.strip().removeprefix("error: ").partition("\n")[0]
        remedy = f"deploy it (`pulumi up --stack {stack}`) or set TOLLGATE_RATE_LIMITS_TABLE"
        raise Mistakes([Mistake(place, f"{said}; {remedy}")])
    return done.stdout.strip()


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
