"""What is generated in the pages: `make docs` writes it, a test holds it current.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from webapp.local import reference, schema
from webapp.settings.files import ROOT

_BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

_DETAILS = "docs/configuration.md"

BLOCKS: Mapping[str, Callable[[], str]] = {
    "gateway-keys": lambda: reference.overview(reference.OF_THE_GATEWAY, _DETAILS),
    "stack-keys": lambda: reference.overview(reference.OF_THE_STACK, _DETAILS),
    "gateway-reference": lambda: reference.reference(reference.OF_THE_GATEWAY),
    "stack-reference": lambda: reference.reference(reference.OF_THE_STACK),
}


def generated() -> Iterator[tuple[Path, str]]:
    """Each file that is generated or holds a block, as it should be."""
    yield ROOT / schema.FILE, json.dumps(schema.stack_file(), indent=2) + "\n"
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text("utf-8")
        if _BLOCK.search(text):
            yield page, _BLOCK.sub(_filled, text)


def stale() -> list[Path]:
    """The files that are not as they should be."""
    return [
        file for file, text in generated() if not file.exists() or file.read_text("utf-8") != text
    ]


def _filled(block: re.Match[str]) -> str:
    return f"{block[1]}{BLOCKS[block[2]]()}\n{block[3]}"


def main() -> None:
    for file, text in list(generated()):
        file.write_text(text, "utf-8")
    print("written:", ", ".join(file.name for file, _ in generated()))


if __name__ == "__main__":
    main()
