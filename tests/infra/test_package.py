import ast
import errno
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import archive, package, verification, wheels
from infra.archive import Package
from infra.package import NOT_SHIPPED, RECIPE, ROOT, build, main, shipped
from infra.target import Target, Unbuildable
from webapp.settings import Settings, encode

TARGET = Target(
    f"python{sys.version_info.major}.{sys.version_info.minor}",
    "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
)
SOURCES = TARGET._replace(bytecode=False)
SETTINGS = Settings(admin_role="root")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages without dependencies, which nothing starts, are built."""
    monkeypatch.setattr(package, "BUILD", tmp_path / "build")
    monkeypatch.setattr(wheels, "fetch", lambda _requirements, _target, tree: tree.mkdir())
    monkeypatch.setattr("infra.sdk.cut", lambda _: None)
    monkeypatch.setattr(verification, "verify", lambda *_: None)
    return tmp_path / "build" / "packages"


def names(built: Package) -> list[str]:
    with zipfile.ZipFile(built.path) as opened:
        return opened.namelist()


@pytest.mark.slow
def test_a_real_package_is_small_complete_and_made_once(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One test, and one build for the same inputs: it takes all of ten seconds."""
    monkeypatch.setattr(package, "BUILD", pytestconfig.cache.mkdir("tollgate"))
    built = build(SETTINGS, TARGET, tmp_path / "a.zip")
    check_size(built)
    check_contents(built)
    monkeypatch.setattr(wheels, "fetch", refuse_to_fetch)
    check_rebuild(built)


def check_size(built: Package) -> None:
    assert built.size == built.path.stat().st_size < 2_500_000
    assert built.files == len(names(built))
    assert archive.read(built.path) == built


def check_contents(built: Package) -> None:
    inside = names(built)
    assert {"webapp/handler.py", "webapp/settings.json", "flask/app.pyc"} < set(inside)
    assert not [name for name in inside if name.startswith((*NOT_SHIPPED, "boto3/", "tests/"))]
    assert not [name for name in inside if name.endswith((".pyi", "RECORD"))]
    with zipfile.ZipFile(built.path) as opened:
        assert opened.read("webapp/settings.json") == encode(SETTINGS)


def check_rebuild(built: Package) -> None:
    before = built.path.stat()
    assert build(SETTINGS, TARGET, built.path) == built
    assert built.path.stat() == before
    elsewhere = built.path.parent / "some" / "where.zip"
    assert build(SETTINGS, TARGET, elsewhere) == built._replace(path=elsewhere)


def refuse_to_fetch(*_: object) -> None:
    raise AssertionError("nothing is to be fetched")


def test_what_ships_is_what_the_handler_imports() -> None:
    """But for what only reading stack files needs, which `settings.current` imports in a clone."""
    reached: set[str] = set()
    waiting = ["webapp", "webapp.handler"]
    while waiting:
        module = waiting.pop()
        path = module_file(module)
        if path is None or path.as_posix() in reached or path.as_posix().startswith(NOT_SHIPPED):
            continue
        reached.add(path.as_posix())
        waiting += imported(ROOT / path)
    unused = {name for name, _ in shipped()} - reached
    assert not unused, "no handler imports these: list them in infra.package.NOT_SHIPPED"
    assert reached == {name for name, _ in shipped()}


def module_file(module: str) -> Path | None:
    stem = Path(*module.split("."))
    candidates = (stem.with_suffix(".py"), stem / "__init__.py")
    return next((path for path in candidates if (ROOT / path).exists()), None)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_place_that_is_left_out_exists() -> None:
    assert all((ROOT / place).exists() for place in NOT_SHIPPED)


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        (Settings(admin_role="other"), SOURCES),
        (SETTINGS, SOURCES._replace(runtime="python3.14")),
        (SETTINGS, SOURCES._replace(architecture="arm64")),
        (SETTINGS, TARGET),
    ],
)
def test_other_inputs_are_another_package(
    packages: Path, tmp_path: Path, settings: Settings, target: Target
) -> None:
    build(SETTINGS, SOURCES._replace(architecture="x86_64"), tmp_path / "a.zip")
    build(settings, target, tmp_path / "b.zip")
    assert len(list(packages.iterdir())) == 2


def test_without_bytecode_everything_ships_as_source(packages: Path, tmp_path: Path) -> None:
    inside = names(build(SETTINGS, SOURCES, tmp_path / "a.zip"))
    assert "webapp/handler.py" in inside
    assert not [name for name in inside if name.endswith(".pyc")]


def test_the_recipe_names_every_module_of_the_packager() -> None:
    code = "import sys, infra.package; print(*(n for n in sys.modules if n.startswith('infra.')))"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {f"infra.{module}" for module in RECIPE} == {*ran.stdout.split()}


def test_the_packager_needs_no_pulumi() -> None:
    code = "import sys, infra.package, webapp.settings.read; sys.exit('pulumi' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_package_that_does_not_start_replaces_nothing(
    packages: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise Unbuildable("does not start")

    monkeypatch.setattr(verification, "verify", refuse)
    output = tmp_path / "a.zip"
    output.write_text("good")
    with pytest.raises(Unbuildable, match="does not start"):
        build(Settings(admin_role="broken"), SOURCES, output)
    assert output.read_text() == "good"
    assert not list(packages.glob(".*"))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/full"), "no space left .*: /full"),
        (PermissionError(errno.EACCES, "Permission denied", "/root"), "^Permission denied: /root$"),
    ],
)
def test_what_the_file_system_refuses_is_one_line(
    packages: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: OSError, says: str
) -> None:
    def write(*_: object) -> None:
        raise error

    monkeypatch.setattr(archive, "write", write)
    with pytest.raises(Unbuildable, match=says):
        build(Settings(admin_role="unwritten"), SOURCES, tmp_path / "a.zip")


def test_only_the_newest_packages_are_kept(packages: Path, tmp_path: Path) -> None:
    for number in range(10):
        newest = build(Settings(admin_role=f"role-{number}"), SOURCES, tmp_path / "a.zip")
    kept = [archive.read(path) for path in packages.iterdir()]
    assert len(kept) == 8
    assert newest.digest in {each.digest for each in kept if each}


def test_the_command_builds_what_the_stack_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def record(settings: Settings, target: Target, output: Path, _: object) -> Package:
        asked.append((target, output))
        return Package(output, 2_345_678, 400, "abc")

    monkeypatch.setattr(package, "build", record)
    other = ("--runtime", "python3.12", "--architecture", "x86_64")
    assert main(["--stack", "dev"]) == 0
    assert main(["--stack", "dev", *other, "--output", str(tmp_path / "a.zip")]) == 0
    assert asked == [
        (Target("python3.13", "arm64", True), package.BUILD / "tollgate-dev.zip"),
        (Target("python3.12", "x86_64", True), tmp_path / "a.zip"),
    ]
    assert capsys.readouterr().out.endswith(
        f"{tmp_path / 'a.zip'}\n2,345,678 bytes, 400 files, for python3.12 on x86_64\n"
        "sha256 of the contents: abc\n"
    )


def test_a_stack_with_mistakes_is_not_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "nowhere"]) == 1
    assert "no such stack" in capsys.readouterr().err
