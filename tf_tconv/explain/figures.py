"""Pictures drawn by matplotlib: figures, and films as GIF."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tf_tconv.explain.scene import LIGHT, Box, Item, Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INSTALL = 'pip install "tf-tconv[explain]"'
WIDEST, TALLEST, LARGEST_CELL, SMALLEST_CELL = 15.0, 11.0, 0.5, 0.3  # In inches.
BLENDS = 10  # Steps from a fill to its ink, for the rounded edges of letters.
HOLD = 1500  # Milliseconds that the last frame stays longer.


def draw(picture: Picture, cell: tuple[int, int]) -> Figure:
    """The picture of one output cell.

    Args:
        picture: what to draw.
        cell: (row, column) of the output.

    Returns:
        A figure outside of pyplot.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure, axes, inches = _sheet(picture, dpi=150)
    _add(axes, inches, [*picture.base, *picture.still(cell)])
    return figure


def save_gif(
    picture: Picture, path: str | os.PathLike[str], cell: tuple[int, int] | None = None
) -> None:
    """Writes the film of a picture, or one output cell of it.

    Args:
        picture: what to draw.
        path: of the file.
        cell: (row, column) of the output; `None` means the film.

    Raises:
        ImportError: matplotlib or Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"a GIF needs Pillow: {INSTALL}. An SVG film needs nothing.") from error
    figure, axes, inches = _sheet(picture, dpi=100)
    canvas: Any = figure.canvas
    _add(axes, inches, picture.base)
    canvas.draw()
    # What stays to the end is drawn once, into the background; of each frame, only what is its own.
    background = canvas.copy_from_bbox(figure.bbox)

    def shoot(items: Iterable[Item]) -> Any:
        canvas.restore_region(background)
        for artist in _add(axes, inches, items):
            axes.draw_artist(artist)
            artist.remove()
        return canvas.buffer_rgba()

    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette())
    images = []
    for index in range(1 if cell is not None else picture.frames):
        shoot(picture.lasting(index) if cell is None else ())
        background = canvas.copy_from_bbox(figure.bbox)
        pixels = shoot(picture.passing(index) if cell is None else picture.still(cell))
        image = Image.frombytes("RGBA", canvas.get_width_height(), bytes(pixels)).convert("RGB")
        images.append(image.quantize(palette=palette, dither=Image.Dither.NONE))
    times = [round(1000 * picture.seconds)] * len(images)
    times[-1] += HOLD
    images[0].save(path, save_all=True, append_images=images[1:], duration=times, loop=0)


def _sheet(picture: Picture, dpi: int) -> tuple[Figure, Any, float]:
    """An empty figure of the picture's size, its axes, and the inches of a cell."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            f"figures need matplotlib: {INSTALL}. Text and SVG need nothing."
        ) from error
    inches = min(WIDEST / picture.width, TALLEST / picture.height, LARGEST_CELL)
    inches = max(inches, SMALLEST_CELL)
    paper = LIGHT["paper"].fill
    size = (picture.width * inches, picture.height * inches)
    figure = Figure(size, dpi=dpi, facecolor=paper)
    # The axes fill the figure: a layout that the reader's own settings ask for could only warn.
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    return figure, axes, inches


def _add(axes: Any, inches: float, items: Iterable[Item]) -> list[Any]:
    """Draws items in their order, and returns what they became."""
    from matplotlib.patches import Rectangle

    points = 72 * inches
    artists = []
    for order, item in enumerate(items):
        if isinstance(item, Box):
            artists.append(
                axes.add_patch(
                    Rectangle(
                        (item.x, item.y),
                        item.width,
                        item.height,
                        facecolor=LIGHT[item.role].fill if item.role else "none",
                        edgecolor=LIGHT[item.edge].fill if item.edge else "none",
                        linewidth=item.thickness * points,
                        linestyle=(0, (2.5, 2)) if item.dashed else "solid",
                        joinstyle="miter",
                        zorder=order,
                    )
                )
            )
        else:
            artists.append(
                axes.text(
                    item.x,
                    item.y,
                    item.text,
                    color=LIGHT[item.role].ink,
                    fontsize=item.size * points,
                    fontfamily="DejaVu Sans",
                    fontweight="bold" if item.bold else "normal",
                    horizontalalignment=_ANCHORS[item.anchor],
                    verticalalignment="center_baseline",
                    parse_math=False,
                    zorder=order,
                )
            )
    return artists


def _palette() -> list[int]:
    """Red, green and blue of the colours of a film: those of the roles, and the steps between."""
    colours = []
    for pair in LIGHT.values():
        fill, ink = (
            [int(text[start : start + 2], 16) for start in (1, 3, 5)]
            for text in (pair.fill, pair.ink)
        )
        for step in range(BLENDS):
            share = step / (BLENDS - 1)
            colours += [round((1 - share) * a + share * b) for a, b in zip(fill, ink, strict=True)]
    return colours


_ANCHORS = {"start": "left", "middle": "center", "end": "right"}
