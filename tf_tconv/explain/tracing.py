"""`trace`: one call with all its intermediates, which draws itself."""

from __future__ import annotations

import dataclasses
import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_tconv.explain import figures, numbers, svg, text, views
from tf_tconv.explain.numbers import Array, Axes, Window
from tf_tconv.explain.plane import Plane
from tf_tconv.explain.scene import Picture
from tf_tconv.geometry import a_type, brief, check_integer, check_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEWS = ("zero_insertion", "scatter", "phases", "matrix")
OTHER_NAMES = {"polyphase": "phases"}
"""What a view is also called."""

MOST_FRAMES = 300


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """Every intermediate of one call of `conv2d_transpose`, from `trace`.

    Arrays have the dtype and the layout of the call and hold all examples and channels. What
    `window` and the pictures show is one example and one output channel, chosen with `select`:
    a picture shows a single input channel too, whose numbers are then a share of the output, and
    says so.

    Args:
        input: as given.
        filters: `[height, width, out_channels/groups, in_channels]`, as given.
        output: what `conv2d_transpose` returned.
        geometry: `rows` and `columns`, `tf_tconv.AxisGeometry` each.
        padding: "SAME", "VALID" or the four pairs given.
        data_format: "NHWC" or "NCHW".
        groups: number of channel groups.
        batch: the example shown.
        in_channel: the input channel shown.
        out_channel: the output channel shown.

    Example:
        >>> x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
        >>> w = np.array([[1.0, 1, 1], [1, 2, 1], [1, 1, 1]]).reshape(3, 3, 1, 1)
        >>> print(trace(x, w, None, strides=2).text(cell=(5, 5)))  # doctest: +ELLIPSIS
        transposed convolution: 3 x 3 -> 6 x 6, kernel 3 x 3, padding SAME
        ...
        output[5, 5] = 2*9 = 18
    """

    input: Array
    filters: Array
    output: Array
    geometry: Axes
    padding: Any
    data_format: str
    groups: int
    batch: int = 0
    in_channel: int = 0
    out_channel: int = 0

    @functools.cached_property
    def dilated(self) -> Array:
        """The input with ``stride - 1`` zeros between its cells, in the layout of the call."""
        return self._laid_out(numbers.dilate(self._channels_last, self.geometry))

    @functools.cached_property
    def padded(self) -> Array:
        """The dilated input with its lead and trail zeros, or cropped where those are negative."""
        return self._laid_out(numbers.pad(self._channels_last, self.geometry))

    @functools.cached_property
    def kinds(self) -> Array:
        """What each cell of `padded` is, `CellKind`, `[padded height, padded width]`."""
        return numbers.padded_kinds(self.geometry)

    @functools.cached_property
    def kernel(self) -> Array:
        """The reversed kernel, with zeros between its taps where it is dilated.

        `[effective height, effective width, out_channels/groups, in_channels]`.
        """
        return numbers.reverse_kernel(self.filters, self.geometry)

    @property
    def channels(self) -> range:
        """The input channels whose shares add up to the output channel shown."""
        size = self.filters.shape[3] // self.groups
        group = self.out_channel // self.filters.shape[2]
        return range(group * size, (group + 1) * size)

    def window(self, cell: Any) -> Window:
        """What the reversed kernel sees behind one output cell, and the products.

        Args:
            cell: (row, column) of the output.

        Returns:
            The window of the example and output channel shown, with all its input channels: its
            `sum` is the output cell, but for the rounding of the call's dtype.

        Raises:
            TypeError: `cell` is not a pair of integers.
            ValueError: there is no such cell, or no example.
        """
        place = numbers.check_cell(cell, self.geometry)
        images, kernels = self._images(), self._kernels()
        return numbers.window_at(images, kernels, self.geometry, place, self.channels)

    def select(self, batch: int = 0, out_channel: int = 0, in_channel: int | None = None) -> Trace:
        """The same trace, showing another example or other channels.

        Args:
            batch: index of the example.
            out_channel: index of the output channel.
            in_channel: index of an input channel of its group; `None` means the first.

        Returns:
            A trace that shares all arrays with this one.

        Raises:
            TypeError: an index that is not an integer.
            ValueError: an index out of range, or a channel of another group.
        """
        examples = self.input.shape[0]
        channels = self.filters.shape[2] * self.groups
        chosen = dataclasses.replace(
            self,
            batch=check_integer("batch", batch, 0, max(examples - 1, 0)),
            out_channel=check_integer("out_channel", out_channel, 0, channels - 1),
        )
        first, last = chosen.channels[0], chosen.channels[-1]
        if in_channel is not None:
            first = check_integer("in_channel", in_channel, first, last)
        return dataclasses.replace(chosen, in_channel=first)

    @functools.cached_property
    def plane(self) -> Plane:
        """The one channel that pictures show.

        Raises:
            ValueError: the batch is empty.
        """
        position = self.channels.index(self.in_channel)
        caption = f"example {self.batch}, channel {self.in_channel} to {self.out_channel}"
        shares = len(self.channels)
        if shares > 1:
            caption += f": one of {shares} shares that add up to output channel {self.out_channel}"
        only = self.input.shape[0] == self.filters.shape[3] == self.filters.shape[2] == 1
        return Plane(
            self.geometry,
            self._images()[..., position],
            self._kernels()[..., position],
            "" if only else caption,
            shares > 1,
        )

    def __str__(self) -> str:
        """The zero insertion, or what to ask for where that cannot be shown."""
        try:
            return self.text()
        except ValueError as reason:
            return f"{text.heading(self.geometry, self.padding)}\n\n{reason}"

    def __repr__(self) -> str:
        return str(self)  # A page of text says more than all the arrays.

    def text(self, view: str = "zero_insertion", cell: Any = None) -> str:
        """The call as plain text, its numbers aligned.

        Args:
            view: "zero_insertion", "scatter", "phases" (or "polyphase") or "matrix".
            cell: (row, column) of an output cell to account for; `None` means none.

        Returns:
            Lines of ASCII.

        Raises:
            TypeError: an argument of the wrong type.
            ValueError: an unknown view, no such cell, an empty batch, or too much to read.
        """
        window = None if cell is None else self.window(cell)
        return text.render(self.plane, self.padding, _check_view(view), window, self.channels)

    def figure(self, view: str = "zero_insertion", cell: Any = None) -> Figure:
        """The call as a matplotlib figure, legible on light and dark pages.

        Args:
            view: "zero_insertion", "scatter", "phases" or "matrix".
            cell: (row, column) of the output cell to show; `None` means the last.

        Returns:
            A figure outside of pyplot: show it in a notebook by its name, or save it.

        Raises:
            ImportError: matplotlib is not installed.
            TypeError: an argument of the wrong type.
            ValueError: an unknown view, no such cell, an empty batch, or too large to read.
        """
        return figures.draw(self._picture(view), self._place(cell))

    def svg(self, view: str = "zero_insertion", cell: Any = None) -> str:
        """The call as an SVG document, which follows the reader's light or dark setting.

        Args:
            view: "zero_insertion", "scatter", "phases" or "matrix".
            cell: (row, column) of the output cell to show; `None` means an animation of all.

        Returns:
            The document; it needs no script, font or library.

        Raises:
            TypeError: an argument of the wrong type.
            ValueError: an unknown view, no such cell, an empty batch, or too large to read.
        """
        picture = self._picture(view)
        if cell is None:
            return svg.animate(_film(picture))
        return svg.draw(picture, self._place(cell))

    def save(
        self, path: str | os.PathLike[str], view: str = "zero_insertion", cell: Any = None
    ) -> None:
        """Writes a picture.

        Args:
            path: ends in ".svg" or ".gif", which are animated unless a `cell` is given, or in
                ".png" or ".pdf".
            view: "zero_insertion", "scatter", "phases" or "matrix".
            cell: (row, column) of the output cell to show; `None` means all one after another, and
                where nothing moves the last.

        Raises:
            ImportError: matplotlib or Pillow is not installed; ".svg" needs neither.
            TypeError: an argument of the wrong type.
            ValueError: another ending, an unknown view, no such cell, an empty batch, or too large
                to read.
        """
        ending = os.path.splitext(os.fspath(path))[1].lower()
        check_name("the ending of path", ending, (".svg", ".gif", ".png", ".pdf"))
        if ending == ".svg":
            document = self.svg(view, cell)
            with open(path, "w", encoding="utf-8") as file:
                file.write(document)
        elif ending == ".gif":
            picture = self._picture(view)
            if cell is None:
                figures.save_gif(_film(picture), path)
            else:
                figures.save_gif(picture, path, self._place(cell))
        else:
            self.figure(view, cell).savefig(path)

    def _repr_svg_(self) -> str | None:
        """For notebooks; None, which makes them print the text, where there is no picture."""
        try:
            return self.svg(cell=self._place(None))
        except ValueError:
            return None

    def _picture(self, view: str) -> Picture:
        return views.compose(self.plane, self.padding, _check_view(view))

    def _place(self, cell: Any) -> tuple[int, int]:
        last = [axis.output_size - 1 for axis in self.geometry]
        return numbers.check_cell(last if cell is None else cell, self.geometry)

    @property
    def _channels_last(self) -> Array:
        return np.moveaxis(self.input, self.data_format.index("C"), 3)

    def _laid_out(self, images: Array) -> Array:
        return np.moveaxis(images, 3, self.data_format.index("C"))

    def _images(self) -> Array:
        """The channels of the example shown that the output channel shown sees."""
        if not self.input.shape[0]:
            raise ValueError("the batch of input is empty: there is no example to show.")
        channels = self.channels
        return numbers.promote(self._channels_last[self.batch, ..., channels.start : channels.stop])

    def _kernels(self) -> Array:
        channels = slice(self.channels.start, self.channels.stop)
        local = self.out_channel % self.filters.shape[2]
        return numbers.promote(self.filters[:, :, local, channels])


def _check_view(view: Any) -> str:
    """`view` as one of `VIEWS`, which may have a hyphen or its other name."""
    if isinstance(view, str):
        view = view.replace("-", "_")
        view = OTHER_NAMES.get(view.lower(), view)
    return check_name("view", view, VIEWS)


def trace(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | int | None = None,
    *,
    groups: int | None = None,
) -> Trace:
    """One call of `conv2d_transpose` with every intermediate, to look into.

    Args:
        input: as for `conv2d_transpose`, with values, and so is all below.
        filters: `[height, width, out_channels/groups, in_channels]`.
        output_shape: 4 entries, 2 (height, width), or `None` for the default size.
        strides: cells between the outputs of neighbouring inputs.
        padding: "SAME", "VALID" or explicit.
        data_format: "NHWC" or "NCHW".
        dilations: cells between neighbouring taps; `None` means 1.
        name: as for `conv2d_transpose`; an integer here, where `groups` stood before, is that.
        groups: number of channel groups; `None` infers it from `output_shape`.

    Returns:
        The `Trace`: arrays `dilated`, `padded` with `kinds`, `kernel`, `output`, the `geometry` and
        the `window` behind any output cell; print it, or ask for a `figure`, or `save` one.

    Raises:
        TypeError: an argument of the wrong type, or without values because a graph is traced.
        ValueError: an argument out of range, sizes that do not fit, or a result too large.

    Example:
        >>> x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
        >>> w = np.array([[1.0, 1, 1], [1, 2, 1], [1, 1, 1]]).reshape(3, 3, 1, 1)
        >>> steps = trace(x, w, output_shape=[6, 6], strides=2)
        >>> steps.padded.shape, steps.geometry.rows.lead, steps.geometry.rows.trail
        ((1, 8, 8, 1), 2, 1)
        >>> float(steps.window((5, 5)).sum)
        18.0
        >>> steps.save("tconv.gif")  # doctest: +SKIP
    """
    # Imported here, so that what needs no TensorFlow, as `definition` below, starts without it.
    import tensorflow as tf

    from tf_tconv.functional.call import solve
    from tf_tconv.functional.conv2d import ordered
    from tf_tconv.functional.transpose import transpose
    from tf_tconv.ops import tensorflow as ops

    if name is not None and not isinstance(name, str):
        if groups is not None:
            raise TypeError(f"name={brief(name)} is {a_type(name)}; it must be a string.")
        name, groups = None, name
    request, x, w = ordered(
        *(input, filters, output_shape, strides, padding, data_format, dilations), groups=groups
    )
    output = transpose(request, x, w, "auto")
    if not tf.executing_eagerly():
        raise TypeError(
            "input has no values while a graph is traced; call trace in eager mode, outside of "
            "tf.function and tf.data."
        )
    call = solve(request, ops.sizes(x), ops.sizes(w), x.dtype.size)
    return Trace(
        np.asarray(x),
        np.asarray(w),
        output.numpy(),
        Axes(*call.axes),
        padding.upper() if isinstance(padding, str) else padding,
        request.layout.name,
        call.groups,
    ).select()


def definition(image: Array, kernel: Array, geometry: Axes, padding: Any) -> Trace:
    """One image through one kernel, computed by the index relation alone, in NumPy.

    Args:
        image: `[height, width]`.
        kernel: `[height, width]`, as in the filters.
        geometry: of height and width.
        padding: what to call the padding: "SAME", "VALID" or four pairs.

    Returns:
        The `Trace`, in NHWC.

    Raises:
        ValueError: the output is too large.

    Example:
        >>> from tf_tconv.geometry import transpose_geometry
        >>> axis = transpose_geometry(2, kernel_size=2, padding="VALID")
        >>> definition(np.eye(2), np.eye(2), Axes(axis, axis), "VALID").output[0, ..., 0]
        array([[1., 0., 0.],
               [0., 2., 0.],
               [0., 0., 1.]])
    """
    output = numbers.gather(image, kernel, geometry)
    return Trace(
        image[None, ..., None],
        kernel[..., None, None],
        output[None, ..., None],
        geometry,
        padding,
        "NHWC",
        1,
    )


def _film(picture: Picture) -> Picture:
    """The picture, if its film is not too long to watch."""
    if picture.frames > MOST_FRAMES:
        raise ValueError(
            f"a film of {picture.frames} frames is too long to watch; at most {MOST_FRAMES} are "
            "drawn. Ask for one output cell, as in cell=(0, 0), or trace a smaller input."
        )
    return picture
