"""A line chart as SVG, by hand: no library of its own for one picture."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 230, 50, 60
_COLOURS = ("#0b6e4f", "#5fb49c", "#c1292e", "#e0a500", "#888888")

Points = Sequence[tuple[float, float]]


def write(file: Path, title: str, axes: tuple[str, str], lines: Mapping[str, Points]) -> None:
    """The last line is drawn dashed: it is what the others are held against."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(_svg(title, axes, lines)) + "\n")


def _svg(title: str, axes: tuple[str, str], lines: Mapping[str, Points]) -> Iterator[str]:
    right = max(x for points in lines.values() for x, _ in points)
    top = _rounded(max(y for points in lines.values() for _, y in points))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">'
    )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    yield _text(_LEFT, 26, title, size=15)
    yield from _grid(right, top)
    yield _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 14, axes[0], anchor="middle")
    yield _text(_LEFT, _TOP - 8, axes[1])
    for index, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        dashes = ' stroke-dasharray="5 4"' if index == len(lines) - 1 else ""
        path = " ".join(f"{_x(x, right):.1f},{_y(y, top):.1f}" for x, y in points)
        style = f'fill="none" stroke="{colour}" stroke-width="2"{dashes}'
        yield f'<polyline points="{path}" {style}/>'
        height = _TOP + 14 + 20 * index
        left = WIDTH - _RIGHT + 16
        yield f'<path d="M{left} {height - 4}h24" {style}/>'
        yield _text(left + 32, height, name)
    yield "</svg>"


def _rounded(value: float) -> float:
    """The next number that four lines divide well."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (1, 1.2, 1.6, 2, 2.4, 4, 6, 8, 10) if step * size >= value)


def _grid(right: float, top: float) -> Iterator[str]:
    for part in range(5):
        x, y = right * part / 4, top * part / 4
        across = f"M{_LEFT} {_y(y, top):.1f}H{WIDTH - _RIGHT}"
        up = f"M{_x(x, right):.1f} {_TOP}V{HEIGHT - _BOTTOM}"
        yield f'<path d="{across}{up}" stroke="#dddddd"/>'
        yield _text(_LEFT - 8, _y(y, top) + 4, f"{y:,.0f}", anchor="end")
        yield _text(_x(x, right), HEIGHT - _BOTTOM + 18, f"{x:g}", anchor="middle")


def _x(value: float, right: float) -> float:
    return _LEFT + value / right * (WIDTH - _RIGHT - _LEFT)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - value / top * (HEIGHT - _BOTTOM - _TOP)


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"
