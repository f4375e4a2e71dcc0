"""What a package is built for, and why one cannot be built."""

import platform
from typing import NamedTuple

# The C library of a runtime decides which wheels load there: Amazon Linux 2 up to Python 3.11,
# Amazon Linux 2023 after it.
_OLDEST_GLIBC, _GLIBC_OF_AL2, _GLIBC_OF_AL2023 = 17, 26, 34
_FIRST_ON_AL2023 = (3, 12)

_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_ELF_MACHINES = {"arm64": 183, "x86_64": 62}


class Unbuildable(Exception):
    """No package: one line that names the cause and the remedy."""


class Target(NamedTuple):
    runtime: str = "python3.13"
    architecture: str = "arm64"
    bytecode: bool = True

    def __str__(self) -> str:
        return f"{self.runtime} on {self.architecture}"

    @property
    def python(self) -> str:
        """`3.13`"""
        return self.runtime.removeprefix("python")

    @property
    def version(self) -> tuple[int, int]:
        major, minor = self.python.split(".")
        return int(major), int(minor)

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platform tags of wheels, the newest first: pip takes each of them literally."""
        machine = _MACHINES[self.architecture]
        newest = _GLIBC_OF_AL2023 if self.version >= _FIRST_ON_AL2023 else _GLIBC_OF_AL2
        tags = [f"manylinux_2_{glibc}_{machine}" for glibc in range(newest, _OLDEST_GLIBC - 1, -1)]
        return (*tags, f"manylinux2014_{machine}")

    @property
    def elf_machine(self) -> int:
        """What the header of a shared library says for this architecture."""
        return _ELF_MACHINES[self.architecture]

    @property
    def is_native(self) -> bool:
        """Whether this machine can load what is built for the target."""
        is_of_its_kind = platform.system() == "Linux" and platform.libc_ver()[0] == "glibc"
        return is_of_its_kind and platform.machine() == _MACHINES[self.architecture]
