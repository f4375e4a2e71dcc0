"""DynamoDB as others emulate it, each in a process of its own.

Installed once, below `~/.cache/tollgate`; tests skip with a reason where that is not possible.
"""

import os
import shutil
import socket
import subprocess
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

CACHE = Path.home() / ".cache" / "tollgate"
VERSION = "3.1.0"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tollgate</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>software.amazon.dynamodb</groupId>
    <artifactId>DynamoDBLocal</artifactId>
    <version>{VERSION}</version>
  </dependency></dependencies>
</project>
"""


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """AWS's own engine, in memory; its URL."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if not java or not maven:
        pytest.skip("DynamoDB Local needs java (17 or later) and mvn; install both")
    folder = CACHE / f"dynamodb-local-{VERSION}"
    jars = folder / "jars"
    if not jars.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(POM)
        fetch = [maven, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        _install("DynamoDB Local", fetch, folder, jars)
    port = _free_port()
    main = "software.amazon.dynamodb.services.local.main.ServerRunner"
    command = [java, f"-Djava.library.path={jars}", "-cp", f"{jars}/*", main]
    with _running([*command, "-inMemory", "-port", str(port)], {}, port) as url:
        yield url


@contextmanager
def ministack() -> Iterator[str]:
    """MiniStack, an emulator in Python, from PyPI; its URL."""
    folder = CACHE / "ministack"
    binary = folder / "bin" / "ministack"
    if not binary.exists():
        venv.create(folder, with_pip=True)
        python = str(folder / "bin" / "python")
        _install("MiniStack", [python, "-m", "pip", "install", "-q", "ministack"], folder, binary)
    port = _free_port()
    with _running([str(binary)], {"GATEWAY_PORT": str(port)}, port) as url:
        yield url


def _install(name: str, command: Sequence[str], folder: Path, made: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(made, ignore_errors=True)
        reason = (done.stdout + done.stderr).strip().splitlines()[-1:]
        pytest.skip(f"{name} could not be installed: {' '.join(reason)}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def _running(command: Sequence[str], extra: Mapping[str, str], port: int) -> Iterator[str]:
    environment = {**os.environ, **extra}
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, cwd=CACHE, stdout=silent, stderr=silent)
    try:
        _await(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
            return
        assert process.poll() is None, "the emulator ended"
        time.sleep(0.05)
    raise AssertionError("the emulator does not listen")
