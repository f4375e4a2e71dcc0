"""The locked dependencies, fetched by pip as wheels for the target on whatever machine this is."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.target import Target, Unbuildable

# Nothing is compiled: pip would use its own interpreter, and the bytes would differ at every run.
_PIP = (
    *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"),
    *("--disable-pip-version-check", "--no-warn-script-location", "--no-user"),
    *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--retries", "2"),
)

_NAME = r"[A-Za-z0-9][\w.-]*"
_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError"
    r"|ConnectionResetError|ConnectionError|ResponseError|HTTP error \d+"
)
_UNMATCHED = re.compile(rf"No matching distribution found for ({_NAME}(?:==\S+)?)")
_BAD_HASH = re.compile(rf"DO NOT MATCH THE HASHES.*?^ +({_NAME}==\S+)", re.DOTALL | re.MULTILINE)
_UNHASHED = re.compile(rf"^\s+({_NAME}(?:==\S+)?).*--hash=", re.MULTILINE)
_UNPINNED = re.compile(rf"^\s+({_NAME}\S*) from ", re.MULTILINE)
_WANTED = re.compile(rf"\b({_NAME}==[^\s,;]+)")


def fetch(requirements: Path, target: Target, directory: Path) -> None:
    """Install what `requirements` locks for the target. Raises Unbuildable naming the culprit."""
    platforms = [f"--platform={tag}" for tag in target.platforms]
    _install(requirements, target, directory, platforms)


def fetch_native(requirements: Path, names: set[str], target: Target, directory: Path) -> None:
    """Install those of the locked requirements that `names` holds, for this very machine."""
    entries = re.split(r"^(?=[^\s#])", requirements.read_text("utf-8"), flags=re.MULTILINE)
    chosen = [entry for entry in entries if entry[:1] == "-" or entry.split("==")[0] in names]
    (directory / "requirements.txt").write_text("".join(chosen), "utf-8")
    _install(directory / "requirements.txt", target, directory, [])


def _install(requirements: Path, target: Target, directory: Path, platforms: Sequence[str]) -> None:
    ran = subprocess.run(
        [
            *(*_PIP, "--target", str(directory), "--requirement", str(requirements)),
            *("--python-version", target.python, "--implementation", "cp", *platforms),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode:
        raise Unbuildable(complaint(ran.stderr + ran.stdout, target))


def complaint(output: str, target: Target) -> str:
    """What pip says, in one line that names the requirement and the remedy."""
    if "No module named pip" in output:
        return f"{sys.executable} has no pip; add it: {sys.executable} -m ensurepip"
    if "No space left on device" in output or "Errno 28" in output:
        return "no space left on the device while fetching wheels; free some and try again"
    if found := _BAD_HASH.search(output):
        return (
            f"{found[1]}: the wheel that was downloaded does not match its hash in the lock; "
            "if you trust the index, lock anew: make lock"
        )
    if "in --require-hashes mode" in output and (
        found := _UNHASHED.search(output) or _UNPINNED.search(output)
    ):
        return f"{found[1]}: not pinned by a hash in the lock; lock anew: make lock"
    if _NETWORK.search(output):
        wanted = _WANTED.search(output)
        name = f"{wanted[1]}: " if wanted else ""
        return f"{name}the package index cannot be reached; check the network, or pip's index-url"
    if found := _UNMATCHED.search(output):
        return (
            f"{found[1]}: the index has no wheel of it for {target}; "
            "choose another runtime or architecture, or another version (make lock)"
        )
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return f"pip failed: {(errors or output.splitlines() or ['no output'])[-1][:300]}"
