"""Files that are watched for what they hold."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

PERIOD = 0.5  # seconds between two looks


class Watch:
    """Looks at the files whenever it is asked; an editor that only touches them changes nothing."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._taken = self._seen = self._look()

    def changed(self) -> bool:
        """Whether they hold something new, and held it at the look before, too.

        Editors empty a file before they write it: what is seen once may be half of it.
        """
        before, self._seen = self._seen, self._look()
        if self._seen == self._taken or self._seen != before:
            return False
        self._taken = self._seen
        return True

    def _look(self) -> tuple[bytes | None, ...]:
        return tuple(map(_held, self._files))


def _held(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def every(period: float) -> Iterator[None]:
    """A tick now and then, until the process is interrupted."""
    pause = Event()
    while not pause.wait(period):
        yield
