"""Pictures as SVG documents: text alone, still or moving, for light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from tf_tconv.explain.scene import DARK, LIGHT, Box, Colours, Item, Picture

CELL = 40  # Pixels.
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
ANCHORS = {"start": "s", "middle": "m", "end": "e"}


def draw(picture: Picture, cell: tuple[int, int]) -> str:
    """The picture of one output cell.

    Args:
        picture: what to draw.
        cell: (row, column) of the output.

    Returns:
        The document.
    """
    return _document(picture, _markup([*picture.base, *picture.still(cell)]), "")


def animate(picture: Picture) -> str:
    """The film of a picture, without end; a reader who wants no motion sees its last frame.

    Args:
        picture: what to draw.

    Returns:
        The document.
    """
    body, rules = [_markup(picture.base)], []
    spans: dict[tuple[int, int], str] = {}
    for timed in picture.timed:
        span = (timed.start, timed.stop)
        if span not in spans:
            spans[span] = f"t{len(spans)}"
            rules.append(_appearance(spans[span], *span, picture.frames))
        last = " z" if timed.stop == picture.frames else ""
        body.append(f'<g class="t {spans[span]}{last}">{_markup(timed.items)}</g>')
    length = f"{picture.frames * picture.seconds:.2f}s"
    rules.append(f".tc .t{{visibility:hidden;animation:{length} step-end infinite}}")
    rules.append(
        "@media (prefers-reduced-motion:reduce){.tc .t{animation:none}.tc .z{visibility:visible}}"
    )
    # The names of animations come after the shorthand, which would set them back.
    return _document(picture, "\n".join(body), "\n".join([rules[-2], *rules[:-2], rules[-1]]))


def _appearance(name: str, start: int, stop: int, frames: int) -> str:
    """Rules that show a group from one frame to another."""
    stops = [f"0%{{visibility:{'visible' if start == 0 else 'hidden'}}}"]
    if start:
        stops.append(f"{100 * start / frames:.4f}%{{visibility:visible}}")
    if stop < frames:
        stops.append(f"{100 * stop / frames:.4f}%{{visibility:hidden}}")
    else:
        stops.append("100%{visibility:visible}")
    return f"@keyframes {name}{{{''.join(stops)}}}.tc .{name}{{animation-name:{name}}}"


def _document(picture: Picture, body: str, rules: str) -> str:
    width, height = round(picture.width * CELL), round(picture.height * CELL)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" class="tc" role="img" \
width="{width}" height="{height}" viewBox="0 0 {width} {height}">
<title>{escape(picture.title)}</title>
<style>
.tc text{{font-family:{FONT};dominant-baseline:central}}
.tc .m{{text-anchor:middle}}.tc .e{{text-anchor:end}}.tc .b{{font-weight:bold}}
.tc rect{{stroke-linejoin:miter}}
{_colours(LIGHT)}
@media (prefers-color-scheme:dark){{
{_colours(DARK)}
}}
{rules}
</style>
<rect class="f-paper" width="{width}" height="{height}" rx="10"/>
{body}
</svg>
"""


def _colours(palette: dict[str, Colours]) -> str:
    return "\n".join(
        f".tc .f-{role}{{fill:{colours.fill}}}.tc .s-{role}{{stroke:{colours.fill}}}"
        f".tc .i-{role}{{fill:{colours.ink}}}"
        for role, colours in palette.items()
    )


def _markup(items: Iterable[Item]) -> str:
    return "\n".join(map(_element, items))


def _element(item: Item) -> str:
    x, y = _pixels(item.x), _pixels(item.y)
    if isinstance(item, Box):
        names = [f"f-{item.role}"] if item.role else []
        names += [f"s-{item.edge}"] if item.edge else []
        return (
            f'<rect class="{" ".join(names)}" x="{x}" y="{y}" width="{_pixels(item.width)}" '
            f'height="{_pixels(item.height)}"'
            + ("" if item.role else ' fill="none"')
            + (f' stroke-width="{_pixels(item.thickness)}"' if item.edge else "")
            + (' stroke-dasharray="8 6"' if item.dashed else "")
            + "/>"
        )
    names = [f"i-{item.role}", ANCHORS[item.anchor]] + ["b"] * item.bold
    return (
        f'<text class="{" ".join(names)}" x="{x}" y="{y}" font-size="{_pixels(item.size)}">'
        f"{escape(item.text)}</text>"
    )


def _pixels(cells: float) -> str:
    return f"{cells * CELL:.1f}".removesuffix(".0")
