from pathlib import Path

import pytest

from webapp.local.watching import Watch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "Pulumi.dev.yaml"
    made.write_text("config: {}")
    return made


def looks(watch: Watch, times: int) -> list[bool]:
    return [watch.changed() for _ in range(times)]


def test_a_change_is_told_once(file: Path) -> None:
    watch = Watch([file])
    file.write_text("config: {a: b}")
    assert looks(watch, 4) == [False, True, False, False]


def test_a_file_that_is_being_written_is_waited_for(file: Path) -> None:
    watch = Watch([file])
    for text in ("", "con", "config: {a: b}"):
        file.write_text(text)
        assert watch.changed() is False
    assert looks(watch, 2) == [True, False]


def test_the_same_text_again_is_no_change(file: Path) -> None:
    watch = Watch([file])
    text = file.read_text()
    file.write_text("")
    assert watch.changed() is False
    file.write_text(text)
    assert looks(watch, 3) == [False, False, False]


def test_a_file_may_vanish_or_appear(file: Path, tmp_path: Path) -> None:
    watch = Watch([file, tmp_path / "Pulumi.yaml"])
    file.unlink()
    assert looks(watch, 3) == [False, True, False]
    (tmp_path / "Pulumi.yaml").write_text("name: tollgate")
    assert looks(watch, 3) == [False, True, False]
