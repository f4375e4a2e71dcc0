import hashlib
import zipfile
from pathlib import Path

import pytest

from infra.target import Target, Unbuildable
from infra.wheels import complaint, fetch, fetch_native

TARGET = Target("python3.12", "arm64")


def wheel(directory: Path, name: str, tag: str = "py3-none-any") -> str:
    """Writes one, and returns its line in a lock."""
    path = directory / f"{name}-1.0-{tag}.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", "FROM = __name__\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def lock(directory: Path, *lines: str, index: str = "--no-index") -> Path:
    path = directory / "requirements.txt"
    path.write_text(f"{index}\n--find-links {directory}\n{''.join(lines)}")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def test_wheels_of_another_machine_are_installed_without_being_compiled(
    tmp_path: Path, tree: Path
) -> None:
    foreign = wheel(tmp_path, "foreign", "cp312-cp312-manylinux_2_34_aarch64")
    fetch(lock(tmp_path, foreign, wheel(tmp_path, "plain")), TARGET, tree)
    assert (tree / "foreign.py").exists()
    assert (tree / "plain.py").exists()
    assert not list(tree.rglob("*.pyc"))


def test_a_requirement_without_a_wheel_for_the_target_is_named(tmp_path: Path, tree: Path) -> None:
    too_new = wheel(tmp_path, "other", "cp312-cp312-manylinux_2_35_aarch64")
    with pytest.raises(Unbuildable, match=r"^other==1\.0: .* no wheel .* python3\.12 on arm64"):
        fetch(lock(tmp_path, too_new), TARGET, tree)


def test_a_wheel_that_is_not_the_locked_one_is_named(tmp_path: Path, tree: Path) -> None:
    wheel(tmp_path, "swapped")
    locked = lock(tmp_path, f"swapped==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Unbuildable, match=r"^swapped==1\.0.*: .* does not match its hash"):
        fetch(locked, TARGET, tree)


def test_a_requirement_without_a_hash_is_named(tmp_path: Path, tree: Path) -> None:
    wheel(tmp_path, "loose")
    with pytest.raises(Unbuildable, match=r"^loose==1\.0: not pinned by a hash"):
        fetch(lock(tmp_path, "loose==1.0\n"), TARGET, tree)


def test_without_a_network_the_message_says_so_and_names_the_requirement(
    tmp_path: Path, tree: Path
) -> None:
    nowhere = lock(
        tmp_path,
        f"absent==1.0 --hash=sha256:{'0' * 64}\n",
        index="--index-url http://127.0.0.1:9/simple",
    )
    with pytest.raises(Unbuildable, match=r"^absent==1\.0: the package index cannot be reached"):
        fetch(nowhere, TARGET, tree)


def test_only_the_named_requirements_are_fetched_for_this_machine(tmp_path: Path) -> None:
    lines = [wheel(tmp_path, name) for name in ("wanted", "other")]
    native = tmp_path / "native"
    native.mkdir()
    fetch_native(lock(tmp_path, *lines), {"wanted"}, Target(), native)
    assert (native / "wanted.py").exists()
    assert not (native / "other.py").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("/venv/bin/python: No module named pip", "has no pip"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
            "device: '/tmp/x'",
            "no space left",
        ),
        ("WARNING: old\nERROR: Something new: here\n", "pip failed: ERROR: Something new: here"),
        ("", "pip failed: no output"),
    ],
)
def test_what_pip_says_becomes_one_line(output: str, message: str) -> None:
    line = complaint(output, TARGET)
    assert message in line
    assert "\n" not in line
