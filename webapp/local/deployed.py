"""What a deployed stack is made of, as the engine's command line tells it."""

import os
import shutil
import subprocess
from collections.abc import Sequence

import botocore.session
from botocore.client import BaseClient

from webapp.settings import Runtime
from webapp.settings.files import ROOT
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.tables import PATIENT


def rate_limits(stack: str) -> tuple[BaseClient, str]:
    """A client and the name of the table with the rate limits. Raises Mistakes.

    TOLLGATE_RATE_LIMITS_TABLE and AWS_REGION name another one than the stack's.
    """
    table = _output(stack, "rate_limits_table_name", "TOLLGATE_RATE_LIMITS_TABLE")
    session = botocore.session.get_session()
    return session.create_client("dynamodb", region_name=region(stack), config=PATIENT), table


def sessions_table(stack: str) -> str:
    """TOLLGATE_SESSIONS_TABLE names another one than the stack's. Raises Mistakes."""
    return _output(stack, "sessions_table_name", "TOLLGATE_SESSIONS_TABLE")


def signing_secret(stack: str) -> str:
    """TOLLGATE_SIGNING_SECRET_ARN names another one than the stack's. Raises Mistakes."""
    return _output(stack, "signing_secret_arn", "TOLLGATE_SIGNING_SECRET_ARN")


def region(stack: str) -> str:
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return named or _pulumi(stack, "AWS_REGION", "config", "get", "aws:region")


def exports(runtime: Runtime) -> str:
    """One line for a shell from which the commands reach the stores of this process."""
    own = {
        "TOLLGATE_SESSIONS_TABLE": runtime.sessions_table,
        "TOLLGATE_RATE_LIMITS_TABLE": runtime.rate_limits_table,
        "TOLLGATE_SIGNING_SECRET_ARN": runtime.signing_secret_arn,
    }
    reach = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    variables = own | {name: os.environ[name] for name in reach}
    return "export " + " ".join(f"{name}={value}" for name, value in variables.items())


def _output(stack: str, name: str, variable: str) -> str:
    return os.environ.get(variable) or _pulumi(stack, variable, "stack", "output", name)


def _pulumi(stack: str, variable: str, *arguments: str) -> str:
    place, command = f"--stack {stack}", shutil.which("pulumi")
    if not command:
        remedy = f"install it, or set {variable} and AWS_REGION"
        raise Mistakes([Mistake(place, f"pulumi is not installed; {remedy}")])
    done = _run([command, *arguments, "--stack", stack, "--non-interactive"])
    if done.returncode:
        said = done.stderr.strip().removeprefix("error: ").partition("\n")[0]
        remedy = f"deploy it (`pulumi up --stack {stack}`) or set {variable}"
        raise Mistakes([Mistake(place, f"{said}; {remedy}")])
    return done.stdout.strip()


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
