import pytest

from infra.target import Target


@pytest.mark.parametrize(
    ("runtime", "newest"), [("python3.11", 26), ("python3.12", 34), ("python3.14", 34)]
)
def test_wheels_may_need_the_c_library_of_the_runtime_and_no_newer_one(
    runtime: str, newest: int
) -> None:
    platforms = Target(runtime, "arm64").platforms
    assert platforms[0] == f"manylinux_2_{newest}_aarch64"
    assert platforms[-2:] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert len(platforms) == newest - 17 + 2


def test_wheels_are_for_the_architecture() -> None:
    assert all(tag.endswith("_x86_64") for tag in Target(architecture="x86_64").platforms)


@pytest.mark.parametrize(
    ("system", "machine", "libc", "native"),
    [
        ("Linux", "x86_64", "glibc", True),
        ("Linux", "x86_64", "", False),
        ("Linux", "aarch64", "glibc", False),
        ("Darwin", "x86_64", "", False),
    ],
)
def test_only_a_machine_like_the_target_loads_what_is_built(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, libc: str, native: bool
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("platform.libc_ver", lambda: (libc, ""))
    assert Target(architecture="x86_64").is_native is native
