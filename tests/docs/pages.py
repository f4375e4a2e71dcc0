"""The pages: README.md and docs/*.md, taken apart into headings, links and shell commands."""

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import dropwhile, groupby
from pathlib import Path
from typing import NamedTuple

from webapp.settings.files import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_SHELLS = frozenset({"bash", "sh", "shell"})

_HEREDOC = re.compile(r"(<<-?['\"]?(\w+)['\"]?.*?\n).*?^\2$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:(?<=\s)|^)#(?: .*)?$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n")
_SEPARATORS = "\n|&;()<>"
# What may stand before the name of a command.
_BEFORE = re.compile(r"if|then|else|while|until|do|!|\{|\}|local|export|\w+\(\)|\w+=.*", re.DOTALL)


class Entry(NamedTuple):
    """What stands under a heading, up to the next one of its level or above."""

    title: str
    text: str


def text(page: Path) -> str:
    return page.read_text("utf-8")


def prose(page: Path) -> str:
    """Without what is fenced, where a `#` is no heading."""
    return _FENCED.sub("", text(page))


def scripts(page: Path) -> list[str]:
    """The blocks that a shell runs."""
    fenced = _FENCED.findall(text(page))
    return [textwrap.dedent(body) for _, language, body in fenced if language in _SHELLS]


def spans(page: Path) -> list[str]:
    """What is `code` within a line."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: of two equal headings the second gets `-1`."""
    seen: Counter[str] = Counter()
    found = set()
    for _, title in _HEADING.findall(prose(page)):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def entries(page: Path, level: int) -> list[Entry]:
    """What stands under each heading of this level, in order."""
    parts = re.split(rf"^(#{{1,{level}}}) (.+)$", text(page), flags=re.MULTILINE)
    found = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return [Entry(title, body) for marks, title, body in found if len(marks) == level]


def commands(script: str) -> Iterator[Sequence[str]]:
    """The simple commands of a script, as words, those inside `$(…)` last."""
    bare = _COMMENT.sub("", _HEREDOC.sub(r"\1", script))
    outer, inner = _lifted(_CONTINUED.sub(" ", bare))
    lexer = shlex.shlex(outer, posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t", "", True
    for separates, words in groupby(lexer, _separates):
        command = list(dropwhile(_BEFORE.fullmatch, words))
        if command and not separates:
            yield command
    for substituted in inner:
        yield from commands(substituted)


def _separates(word: str) -> bool:
    return bool(word) and set(word) <= set(_SEPARATORS)


def _lifted(script: str) -> tuple[str, list[str]]:
    """A script with a word in place of each `$(…)`, and what stood in these."""
    outer, inner = "", []
    while (start := script.find("$(")) >= 0:
        depth, end = 1, start + 2
        while depth:
            depth += {"(": 1, ")": -1}.get(script[end], 0)
            end += 1
        inner.append(script[start + 2 : end - 1])
        outer, script = f"{outer}{script[:start]}$_", script[end:]
    return outer + script, inner


def all_commands(page: Path, *start: str) -> list[Sequence[str]]:
    """What follows `start` in every command of the page's scripts and spans that begins so."""
    lines = [span for span in spans(page) if span.startswith(" ".join(start))]
    found = [words for script in [*scripts(page), *lines] for words in commands(script)]
    return [words[len(start) :] for words in found if tuple(words[: len(start)]) == start]
