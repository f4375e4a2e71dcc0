"""The figures of the package: its size, its cold start, and how long it takes to build.

Every time stands beside that of a baseline measured in the same run, turn by turn, so that the
ratio holds while the speed of the machine drifts: `python -m bench.package [--runs 15]`.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from infra import bytecode, wheels
from infra.package import REQUIREMENTS, ROOT, build, shipped
from infra.target import Target
from webapp.settings import Settings
from webapp.settings.read import load

HERE = Path(__file__).parent / "coldstart"
LEAST_RUNS = 11

Command = list[str]


class Run(NamedTuple):
    """Seconds from the start of a process to its answer, and of computing up to two points."""

    wall: float
    imported: float
    answered: float


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.package", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help=f"of each, at least {LEAST_RUNS}")
    runs = max(parser.parse_args().runs, LEAST_RUNS)
    settings = load("dev").settings
    target = _native()
    print(f"{datetime.date.today()}, {_machine()}, Python {target.python}, {runs} runs of each\n")
    print("\n".join(_sizes(settings, target)), flush=True)
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as directory:
        print("\n".join(_builds(Path(directory))), flush=True)
        print("\n".join(_cold_starts(settings, target, runs, Path(directory))))


def _native() -> Target:
    """The stack's runtime where this machine has that Python, else the running one's."""
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    wanted = Target(architecture=machine)
    if next(bytecode.find(wanted), None):
        return wanted
    return Target(f"python{sys.version_info.major}.{sys.version_info.minor}", machine)


def _machine() -> str:
    model = platform.processor() or platform.machine()
    with Path("/proc/cpuinfo").open() as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
    return f"{os.cpu_count()} x {model}"


def _table(*rows: Sequence[object]) -> Iterator[str]:
    head, *rest = rows
    yield "| " + " | ".join(map(str, head)) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for row in rest:
        yield "| " + " | ".join(map(str, row)) + " |"
    yield ""


def _sizes(settings: Settings, target: Target) -> Iterator[str]:
    rows: list[Sequence[object]] = [("size of the zip", "with bytecode", "without")]
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "a.zip")
        for architecture in ("arm64", "x86_64"):
            of = target._replace(architecture=architecture)
            sizes = (build(settings, of._replace(bytecode=b), output).size for b in (True, False))
            rows.append((architecture, *(f"{size / 1e6:.2f} MB" for size in sizes)))
        plain = _plain(target, Path(directory, "plain"))
        packed = shutil.make_archive(str(Path(directory, "plain")), "zip", plain)
        rows.append(
            ("plain `pip install --target`", "", f"{Path(packed).stat().st_size / 1e6:.2f} MB")
        )
    return _table(*rows)


def _builds(directory: Path) -> Iterator[str]:
    """In a clone with nothing built: once, then once more."""
    clone = directory / "clone"
    for name in ("infra", "webapp"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, clone)

    def built() -> float:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "infra.package", "--stack", "dev"],
            cwd=clone,
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - started

    colds = []
    for _ in range(3):
        shutil.rmtree(clone / "build", ignore_errors=True)
        colds.append(built())
    unchanged = statistics.median(built() for _ in range(LEAST_RUNS))
    return _table(
        ("`python -m infra.package --stack dev`", "median"),
        ("nothing built yet, wheels in pip's cache", f"{statistics.median(colds):.1f} s"),
        ("nothing changed", f"{unchanged:.2f} s"),
    )


def _plain(target: Target, tree: Path) -> Path:
    """What `pip install --target` and a copy of the gateway give."""
    wheels.fetch(REQUIREMENTS, target, tree)
    for name, source in shipped():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, tree / name)
    return tree


def _cold_starts(settings: Settings, target: Target, runs: int, directory: Path) -> Iterator[str]:
    interpreter = str(bytecode.interpreter_for(target))
    ours, sources, plain, bare = (directory / name for name in ("ours", "sources", "plain", "bare"))
    for tree, compiled in ((ours, True), (sources, False)):
        package = build(settings, target._replace(bytecode=compiled), directory / "package.zip")
        with zipfile.ZipFile(package.path) as archive:
            archive.extractall(tree)
    _plain(target, plain)
    wheels.fetch(REQUIREMENTS, target, bare)
    python = [interpreter, "-I", "-S", "-B"]
    subprocess.run([*python, "-m", "compileall", "-q", "-j", "0", str(bare)], check=False)
    with surroundings() as told:
        for tree in (ours, sources, plain):
            (tree / "webapp" / "settings.json").write_text(told["settings"])
            _make_read_only(tree)
        event = json.dumps(told["event"])
        commands = {
            "Tollgate's package": [*python, str(HERE / "gateway.py"), str(ours), event],
            "with bytecode: false": [*python, str(HERE / "gateway.py"), str(sources), event],
            "the same in a plain zip": [*python, str(HERE / "gateway.py"), str(plain), event],
            "a bare get_item": [*python, str(HERE / "bare.py"), str(bare)],
        }
        yield from _table(*_rows(_timed(commands, told["environ"], runs)))
        yield from _modules(commands, told["environ"])


@contextmanager
def surroundings() -> Iterator[dict[str, Any]]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.coldstart.surroundings"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        lines = (json.loads(line) for line in process.stdout if '"event"' in line)
        yield next(lines)
        process.stdin.close()


def _make_read_only(tree: Path) -> None:
    for path in tree.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _timed(
    commands: Mapping[str, Command], environ: Mapping[str, str], runs: int
) -> dict[str, list[Run]]:
    measured: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            measured[name].append(_run(command, environ))
    return {name: counted for name, (_, *counted) in measured.items()}


def _run(command: Command, environ: Mapping[str, str]) -> Run:
    started = time.perf_counter()
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("answered"):
                took = time.perf_counter() - started
                _, status, imported, answered = line.split()
                assert status == "200", line
                return Run(took, float(imported), float(answered))
    raise AssertionError(f"no answer: {command}")


def _rows(measured: Mapping[str, list[Run]]) -> Iterator[Sequence[object]]:
    yield (
        *("cold start to the first answer", "median", "Tollgate is"),
        *("computing", "imports", "the rest", "Tollgate is"),
    )
    ours = measured["Tollgate's package"]
    for name, runs in measured.items():
        imported = statistics.median(run.imported for run in runs)
        answered = statistics.median(run.answered for run in runs)
        yield (
            name,
            _milliseconds(statistics.median(run.wall for run in runs)),
            _ratio(a.wall / b.wall for a, b in zip(ours, runs, strict=True)),
            *map(_milliseconds, (answered, imported, answered - imported)),
            _ratio(a.answered / b.answered for a, b in zip(ours, runs, strict=True)),
        )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _ratio(pairs: Iterable[float]) -> str:
    return f"{statistics.median(pairs):.2f} of it"


def _modules(commands: Mapping[str, Command], environ: Mapping[str, str]) -> Iterator[str]:
    """Where the time of imports goes, by package, the median of a few runs."""
    ours, bare = (
        _import_times(commands[name], environ) for name in ("Tollgate's package", "a bare get_item")
    )
    names = sorted(ours, key=lambda name: -ours[name])[:14]
    rows = [(name, f"{ours[name]:.0f} ms", f"{bare.get(name, 0):.0f} ms") for name in names]
    others = [
        f"{sum(n for k, n in each.items() if k not in names):.0f} ms" for each in (ours, bare)
    ]
    total = [f"{sum(each.values()):.0f} ms" for each in (ours, bare)]
    head = ("imports of (under `-X importtime`, which slows them)", "Tollgate", "bare get_item")
    return _table(head, *rows, ("all others", *others), ("all", *total))


def _import_times(command: Command, environ: Mapping[str, str], runs: int = 5) -> dict[str, float]:
    """Milliseconds by top-level package."""
    seen: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        ran = subprocess.run(
            [command[0], "-X", "importtime", *command[1:]],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        by_package: dict[str, float] = defaultdict(float)
        for line in ran.stderr.splitlines()[1:]:
            if line.startswith("import time:"):
                own, _, module = line.removeprefix("import time:").split("|")
                by_package[_package(module.strip())] += int(own) / 1000
        for name, milliseconds in by_package.items():
            seen[name].append(milliseconds)
    return {name: statistics.median(each) for name, each in seen.items()}


def _package(module: str) -> str:
    top = module.partition(".")[0]
    return "the standard library" if top in sys.stdlib_module_names else top


if __name__ == "__main__":
    main()
