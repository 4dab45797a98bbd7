"""The padding asymmetry rule of transposed convolution, for one axis, in plain integers.

Symbols of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(https://arxiv.org/abs/1603.07285), with TensorFlow's padding: input size ``i``, kernel ``k``,
stride ``s``, dilation ``d``, effective kernel ``k' = (k - 1) d + 1``, output size ``o``.

Derivation
----------
1. A transposed convolution from size ``i`` to size ``o`` is the adjoint of the forward convolution
   that maps ``o`` to ``i``. So the padding of that *forward* convolution decides everything.
2. The forward convolution's ``i`` windows span ``(i - 1) s + k'`` cells, and its input has ``o``.
   SAME pads the difference: ``P = max((i - 1) s + k' - o, 0)``. VALID pads nothing; EXPLICIT pads
   what it is given.
3. Forward SAME puts the smaller half first: ``p0 = floor(P / 2)`` before and ``p1 = P - p0`` after.
4. Forward: window ``j``, tap ``a`` reads cell ``j s + a d - p0``. The adjoint writes where the
   forward reads, which is the definition of the transposed convolution (the *index relation*):
   ``y[j s + a d - p0] += x[j] w[a]``, indices outside ``0 .. o-1`` dropped.
5. The same sum, gathered: put ``s - 1`` zeros between the inputs, ``lead = k' - 1 - p0`` zeros
   before them and ``trail = o - (i - 1) s - 1 + p0`` after, and convolve with the **reversed**
   kernel at stride 1. When ``P`` is odd the forward convolution pads one more at the *end*, so
   ``p0`` is the smaller half and ``lead`` the larger: the transposed convolution has its odd zero
   at the *beginning*. A negative ``lead`` or ``trail`` crops. A kernel smaller than the stride
   leaves holes: output cells that nothing reaches and that stay zero.
6. Given ``i``, every output size that the forward convolution maps back to ``i`` is legal; there
   are always ``s`` of them (fewer only where some would be negative).
7. Without the stride: count output cells in steps of ``s``, as phase ``r`` of step ``q``, from any
   offset ``f``: ``cell = q s + r + f - p0`` with ``0 <= r < s``. With ``b, r = divmod(a d - f, s)``
   the index relation of tap ``a`` becomes ``y[j + b, r] += x[j] w[a]``: tap ``a`` belongs to phase
   ``r`` and carries input ``j`` to step ``j + b``. Each phase is a convolution at stride 1 of its
   own taps; each ``b``, a *block*, is a product that moves ``x`` by whole steps.

Everything but the sizes themselves depends on ``o`` and ``i`` only through the *surplus*
``o - (i - 1) s``, so it is known even where the sizes are not.
"""

from __future__ import annotations

import difflib
import functools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Sides = tuple[int, int]
Padding = str | Sides

PADDING_NAMES = ("SAME", "VALID")

MOST_PADDED = 2**31 - 1
"""Cells of one side that a way out may pad; TensorFlow takes no more."""


Size = Any
"""Cells, or channels: an int, `None` where unknown, or the scalar that a run has for it."""


@dataclass(frozen=True)
class AxisGeometry:
    """One axis of a transposed convolution: the index relation as a value.

    Each size is an int, or `None` where it is not known yet: then `surplus` says what is known of
    the output. Frameworks that trace a computation put the scalars of the run in their places; all
    relations are written with operators, so that they serve those as well.

    Args:
        input_size: ``i``, cells of the input.
        kernel_size: ``k``, taps of the kernel.
        stride: ``s``, output cells from one input cell to the next.
        dilation: ``d``, output cells from one tap to the next.
        output_size: ``o``, cells of the output.
        pad_before: ``p0``, cells that the forward convolution pads (so the transposed one drops)
            before the first.
        pad_after: ``p1``, likewise after the last.
        surplus: ``o - (i - 1) s``: what of the output the strides do not account for. Where both
            sizes are ints, it follows from them.

    Example:
        >>> axis = transpose_geometry(5, kernel_size=3, stride=2, output_size=9)
        >>> axis.pad_before, axis.pad_after, axis.lead, axis.trail
        (1, 1, 1, 1)
        >>> axis.contributions(4)
        ((2, 1),)
    """

    input_size: Size
    kernel_size: Size
    stride: int
    dilation: int
    output_size: Size
    pad_before: Size
    pad_after: Size
    surplus: Size = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.input_size, int) and isinstance(self.output_size, int):
            surplus = self.output_size - (self.input_size - 1) * self.stride
            object.__setattr__(self, "surplus", surplus)

    @property
    def is_known(self) -> bool:
        """Whether each size is an int."""
        sizes = (self.input_size, self.kernel_size, self.output_size)
        return all(isinstance(size, int) for size in (*sizes, self.pad_before, self.pad_after))

    @property
    def effective_kernel(self) -> Size:
        """``k' = (k - 1) d + 1``: cells from a kernel's first tap to its last, both included."""
        return effective_kernel_size(self.kernel_size, self.dilation)

    @property
    def lead(self) -> Size:
        """Zeros before the dilated input in the zero-insertion form; negative: cells to crop."""
        if self.kernel_size is None or self.pad_before is None:
            return None
        return self.effective_kernel - 1 - self.pad_before

    @property
    def trail(self) -> Size:
        """Zeros after the dilated input in the zero-insertion form; negative: cells to crop."""
        if self.surplus is None or self.pad_before is None:
            return None
        return self.surplus - 1 + self.pad_before

    @property
    def crop_after(self) -> Size:
        """Cells cut off after the last that the products span; negative: zeros added there.

        It is `pad_after` less what the output has more than the smallest that this padding reaches.
        """
        if self.kernel_size is None or self.surplus is None or self.pad_before is None:
            return None
        return self.effective_kernel - self.surplus - self.pad_before

    def output_index(self, input_index: int, tap: int) -> int:
        """The cell that ``x[input_index] * w[tap]`` is added to, if it lies in ``0 .. o-1``."""
        return input_index * self.stride + tap * self.dilation - self.pad_before

    def contributions(self, output_index: int) -> tuple[tuple[int, int], ...]:
        """The pairs (input cell, tap) whose products make one output cell; empty in a hole."""
        pairs = []
        for tap in range(self.kernel_size):
            cell, rest = divmod(output_index + self.pad_before - tap * self.dilation, self.stride)
            if rest == 0 and 0 <= cell < self.input_size:
                pairs.append((cell, tap))
        return tuple(sorted(pairs))

    @property
    def useful_inputs(self) -> range:
        """The inputs between the first and the last that can reach the output."""
        first = _ceil_div(self.pad_before - self.effective_kernel + 1, self.stride)
        last = (self.output_size - 1 + self.pad_before) // self.stride
        return _bounded(first, last, self.input_size)

    @property
    def useful_taps(self) -> range:
        """The taps between the first and the last that can reach the output."""
        first = _ceil_div(self.pad_before - (self.input_size - 1) * self.stride, self.dilation)
        last = (self.output_size - 1 + self.pad_before) // self.dilation
        return _bounded(first, last, self.kernel_size)

    @functools.lru_cache(maxsize=4096)  # noqa: B019 (small values, and few)
    def trimmed(self) -> AxisGeometry:
        """The same output from `useful_inputs` and `useful_taps` alone, numbered from 0.

        Its zero-insertion form is never wider than a few times what really overlaps, whatever the
        dilation, and its `pad_before` may be negative: cells before the first product.
        """
        inputs, taps = self.useful_inputs, self.useful_taps
        before = self.pad_before - inputs.start * self.stride - taps.start * self.dilation
        # A step that is never taken may as well be 1, which spares a walk over a huge one; or the
        # kernel's size, with which all taps are phases of one step.
        dilation = self.dilation if len(taps) > 1 else 1
        alone = max(len(taps), 1) if dilation == 1 else 1
        stride = self.stride if len(inputs) > 1 else alone
        span = (len(inputs) - 1) * stride + effective_kernel_size(len(taps), dilation)
        after = span - before - self.output_size
        return AxisGeometry(
            len(inputs), len(taps), stride, dilation, self.output_size, before, after
        )


def transpose_geometry(
    input_size: int,
    kernel_size: int,
    stride: int = 1,
    dilation: int = 1,
    padding: str | Sequence[int] = "SAME",
    output_size: int | None = None,
    output_padding: int | None = None,
) -> AxisGeometry:
    """The padding asymmetry rule: where each product of one axis goes.

    Args:
        input_size: ``i >= 0``, cells of the input (the forward convolution's output).
        kernel_size: ``k >= 1``, taps.
        stride: ``s >= 1``, cells.
        dilation: ``d >= 1``, cells.
        padding: "SAME", "VALID" (any case), or the pair (before, after) of non-negative cells that
            the forward convolution pads.
        output_size: ``o``, one of `legal_output_sizes`; `None` for Keras' default, which is
            ``i s`` for SAME and ``(i - 1) s + max(k', s)`` less the padding otherwise.
        output_padding: instead of `output_size`, as Keras and torch count it: the size is
            ``(i - 1) s + k' mod 2 + q`` for SAME (``0 <= q < s``) and ``(i - 1) s + k' + q`` less
            the padding otherwise (``0 <= q < max(s, d)``).

    Returns:
        The `AxisGeometry`.

    Raises:
        TypeError: a size that is no integer, or a padding that is neither a name nor a pair.
        ValueError: a value outside its range, or a size that no such axis reaches; the message
            then says which padding reaches it.

    Example:
        The odd zero stands at the beginning (kernel 3, stride 2, SAME, 3 to 6 cells):

        >>> axis = transpose_geometry(3, kernel_size=3, stride=2)
        >>> axis.output_size, axis.lead, axis.trail
        (6, 2, 1)
        >>> transpose_geometry(5, kernel_size=3, stride=2, output_size=11)
        Traceback (most recent call last):
        ...
        ValueError: output_size=11 cannot come from 5 input cells: kernel 3, stride 2, dilation 1, \
padding "SAME" reach 9..10. But padding=(0, 1) reaches 11 (10..11 cells).

    Source:
        Relations 8 to 14 of https://arxiv.org/abs/1603.07285v2; forward SAME as in
        https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2.
    """
    input_size = check_integer("input_size", input_size, 0)
    kernel_size = check_integer("kernel_size", kernel_size, 1)
    stride = check_integer("stride", stride, 1)
    dilation = check_integer("dilation", dilation, 1)
    padding = check_padding(padding)
    return solve_axis(
        input_size, kernel_size, stride, dilation, padding, output_size, output_padding
    )


def legal_output_sizes(
    input_size: int,
    kernel_size: int,
    stride: int = 1,
    dilation: int = 1,
    padding: str | Sequence[int] = "SAME",
) -> range:
    """Every output size whose forward convolution gives back `input_size`.

    Args:
        input_size: ``i >= 0``, cells.
        kernel_size: ``k >= 1``, taps.
        stride: ``s >= 1``, cells.
        dilation: ``d >= 1``, cells.
        padding: "SAME", "VALID", or the pair (before, after) of non-negative cells.

    Returns:
        A range of `stride` sizes; shorter only where a size would be negative.

    Raises:
        TypeError: a size that is no integer, or a padding that is neither a name nor a pair.
        ValueError: a value outside its range.

    Example:
        >>> legal_output_sizes(5, kernel_size=3, stride=2, padding="SAME")
        range(9, 11)
        >>> legal_output_sizes(5, kernel_size=3, stride=2, padding="VALID")
        range(11, 13)
    """
    input_size = check_integer("input_size", input_size, 0)
    kernel_size = check_integer("kernel_size", kernel_size, 1)
    stride = check_integer("stride", stride, 1)
    dilation = check_integer("dilation", dilation, 1)
    kernel = effective_kernel_size(kernel_size, dilation)
    return _legal_sizes(input_size, kernel, stride, check_padding(padding))


@dataclass(frozen=True)
class PaddingWords:
    """How a caller writes the padding of all its axes, for error messages.

    Args:
        show: from "SAME", "VALID" or a tuple of (before, after), an axis each.
        named: whether the caller has "SAME" and "VALID".
        alike: whether it pads both sides of an axis alike.
    """

    show: Callable[[str | tuple[Sides, ...]], str]
    named: bool = True
    alike: bool = False


def _show_one(padding: str | tuple[Sides, ...]) -> str:
    return f"padding={_shown(padding if isinstance(padding, str) else padding[0])}"


ONE_AXIS = PaddingWords(_show_one)
"""The words of `transpose_geometry`."""


@dataclass(frozen=True)
class AxisNames:
    """What the caller's caller calls the axis and its arguments, for error messages."""

    output_size: str = "output_size"
    padding: str = "padding"
    unit: str = "cells"
    words: PaddingWords = ONE_AXIS


DEFAULT_NAMES = AxisNames()


@functools.lru_cache(maxsize=4096)
def solve_axis(
    input_size: int,
    kernel_size: int,
    stride: int,
    dilation: int,
    padding: Padding,
    output_size: int | None = None,
    output_padding: int | None = None,
    names: AxisNames = DEFAULT_NAMES,
) -> AxisGeometry:
    """`transpose_geometry` for arguments already checked one by one, with the caller's names."""
    kernel = effective_kernel_size(kernel_size, dilation)
    if output_size is not None and output_padding is not None:
        raise ValueError(
            f"{names.output_size}={output_size} and output_padding={output_padding} both fix the "
            "output size; give at most one of them."
        )
    legal = _legal_sizes(input_size, kernel, stride, padding)
    asked = AskedAxis(kernel_size, stride, dilation, padding, input_size, output_size, names.unit)
    if not legal:
        sentence = exhausted_message(names, stride, dilation, padding).format(
            input_size, kernel_size, (input_size - 1) * stride + kernel + stride - 1
        )
        raise Unreachable(sentence, (asked,)).error(ONE_AXIS)
    if output_size is None:
        if output_padding is not None:
            limit = stride if padding == "SAME" else max(stride, dilation)
            output_padding = check_integer("output_padding", output_padding, 0, limit - 1)
        surplus = default_surplus(kernel, stride, padding, output_padding)
        output_size = max((input_size - 1) * stride + surplus, 0)
    else:
        output_size = check_integer(names.output_size, output_size, 0)
        if output_size not in legal:
            sentence = unreachable_message(names, stride, dilation, padding).format(
                output_size, input_size, kernel_size, legal.start, legal.stop - 1
            )
            raise Unreachable(sentence, (asked,)).error(ONE_AXIS)
    surplus = output_size - (input_size - 1) * stride
    before, after = split_padding(kernel, surplus, padding)
    return AxisGeometry(input_size, kernel_size, stride, dilation, output_size, before, after)


def effective_kernel_size(kernel_size: Any, dilation: int) -> Any:
    """``k' = (k - 1) d + 1``, `None` of an unknown kernel."""
    return None if kernel_size is None else (kernel_size - 1) * dilation + 1


def split_padding(
    effective_kernel: Any,
    surplus: Any,
    padding: Padding,
    maximum: Callable[[Any, Any], Any] = max,
    quotient: Callable[[Any, int], Any] = operator.floordiv,
) -> tuple[Any, Any]:
    """The forward convolution's padding ``(p0, p1)``: step 2 and 3 of the derivation.

    `maximum` and `quotient` are those of integers; tensors' own for sizes known only at run time.
    """
    if padding == "SAME":
        total = maximum(effective_kernel - surplus, 0)
        before = quotient(total, 2)
        return before, total - before
    return padding if isinstance(padding, tuple) else (0, 0)


def pad_behind(axis: AxisGeometry, maximum: Callable[[Size, Size], Size] = max) -> Size:
    """Cells to pad (or crop) behind the output so that it has the input's number of windows.

    `maximum` is that of ints; tensors' own for sizes known only at run time.
    """
    missing = axis.crop_after
    if not isinstance(missing, int):
        return maximum(missing, 0)  # A legal output has no whole stride too many.
    # Less than a stride too many makes no further window and need not be cropped.
    return missing if missing >= 0 else -(-missing // axis.stride * axis.stride)


def lowest_surplus(effective_kernel: Any, padding: Padding) -> Any:
    """``o - (i - 1) s`` of the smallest legal output; the largest is ``s - 1`` more (step 6)."""
    if padding == "SAME":
        return 1
    return effective_kernel - sum(split_padding(effective_kernel, None, padding))


def default_surplus(
    effective_kernel: Any,
    stride: int,
    padding: Padding,
    output_padding: int | None = None,
    maximum: Callable[[Any, Any], Any] = max,
) -> Any:
    """``o - (i - 1) s`` where no output size is given, by Keras' formulas."""
    if padding == "SAME":
        return stride if output_padding is None else effective_kernel % 2 + output_padding
    lowest = lowest_surplus(effective_kernel, padding)
    if output_padding is not None:
        return lowest + output_padding
    return lowest + maximum(stride - effective_kernel, 0)


def unreachable_message(names: AxisNames, stride: int, dilation: int, padding: Padding) -> str:
    """The sentence for an illegal output size.

    With ``{}`` for output, input, kernel, lowest and highest: a template, so that sizes known only
    at run time give the same sentence.
    """
    return (
        f"{names.output_size}={{}} cannot come from {{}} input {names.unit}: kernel {{}}, "
        f"stride {stride}, dilation {dilation}, padding {_shown(padding)} reach {{}}..{{}}."
    )


def reach_of_others(padding: Padding) -> str:
    """What other paddings reach, where the sizes are known only at run time.

    With ``{}`` for the lowest and highest that "VALID" reaches: a template, to go on with after
    `unreachable_message`.
    """
    if padding == "VALID":
        return " Each cell of explicit padding takes one off {}..{}."
    return ' But padding "VALID" reaches {}..{}, and each cell of explicit padding takes one off.'


@dataclass(frozen=True)
class AskedAxis:
    """One axis as it was asked for, to find the padding that gives it.

    Args:
        kernel_size: ``k``, or `None` where it is known only at run time.
        stride: ``s``, cells.
        dilation: ``d``, cells.
        padding: "SAME", "VALID" or (before, after).
        input_size: ``i``, or `None` where it is known only at run time.
        output_size: ``o``, or `None` for the default, and where it is known only at run time.
        unit: what its cells are called.

    Example:
        >>> pooled = AskedAxis(3, 2, 1, "SAME", input_size=8, output_size=17)
        >>> pooled.nearest(), pooled.reached(pooled.nearest())
        ((0, 1), range(16, 18))
    """

    kernel_size: int | None
    stride: int
    dilation: int
    padding: Padding
    input_size: int | None = None
    output_size: int | None = None
    unit: str = "cells"

    @property
    def most(self) -> int:
        """The largest size that any padding reaches: the one that nothing is taken off."""
        assert self.input_size is not None
        assert self.kernel_size is not None
        kernel = effective_kernel_size(self.kernel_size, self.dilation)
        return int(max(_legal_sizes(self.input_size, kernel, self.stride, "VALID"), default=-1))

    @property
    def least_kernel(self) -> int:
        """The fewest taps with which some padding reaches the size."""
        assert self.input_size is not None
        assert self.output_size is not None
        effective = self.output_size - self.input_size * self.stride + 1
        return -(-(effective - 1) // self.dilation) + 1

    @property
    def is_open(self) -> bool:
        """Whether no size is asked for, or the run knows what it comes from."""
        return None in (self.kernel_size, self.input_size, self.output_size)

    def reached(self, padding: Padding) -> range:
        """The sizes that another padding reaches, of an axis that is not open."""
        assert self.input_size is not None
        kernel = effective_kernel_size(self.kernel_size, self.dilation)
        return _legal_sizes(self.input_size, kernel, self.stride, padding)

    def sides(self, padding: Padding) -> Sides:
        """What a padding takes off (before, after) at the size asked for, or nearest to it."""
        if padding != "SAME" or self.kernel_size is None:
            return padding if isinstance(padding, tuple) else (0, 0)
        surplus = self.stride
        if not self.is_open:
            legal = self.reached(padding)
            size = min(max(self.output_size, legal.start), legal.stop - 1)  # type: ignore[type-var]
            surplus = size - (self.input_size - 1) * self.stride  # type: ignore[operator]
        kernel = effective_kernel_size(self.kernel_size, self.dilation)
        before, after = split_padding(kernel, surplus, padding)
        return before, after

    def gives(self, padding: str, sides: Sides) -> bool:
        """Whether a padding by name takes off those cells, and reaches the size asked for."""
        reached = self.is_open or self.output_size in self.reached(padding)
        return reached and self.sides(padding) == sides

    def nearest(self, alike: bool = False) -> Sides | None:
        """The (before, after) that reaches the size by the least change of the padding.

        Args:
            alike: whether both have to be equal.

        Returns:
            `None` where none does.
        """
        before, after = self.sides(self.padding)
        if self.is_open:
            return before, after
        now, least = before + after, self.reached("VALID").start - self.output_size  # type: ignore[operator]
        least, most = max(least, 0), self.most - self.output_size  # type: ignore[operator]
        total = min(max(now, least), most)
        if alike and total % 2:
            total += 1 if total < most else -1
        if total < least:
            return None
        if alike:
            return total // 2, total // 2
        # What is added or taken away makes both sides as equal as it can, the smaller one first.
        low = before if total >= now else max(total - after, 0)
        high = before + total - now if total >= now else min(before, total)
        first = min(max(total // 2, low), high)
        return (first, total - first) if max(first, total - first) <= MOST_PADDED else None


@dataclass(frozen=True)
class Unreachable:
    """Why an output size cannot be reached, in parts that can be said in the words of each caller.

    It travels with the error: a class of its own would be lost where TensorFlow's AutoGraph and
    Keras make the error anew.

    Args:
        sentence: what is wrong.
        axes: all axes of the call, as far as known, the wrong one among them.
    """

    sentence: str
    axes: tuple[AskedAxis, ...]

    @staticmethod
    def of(error: ValueError) -> Unreachable | None:
        """What an error says, if it is one of these."""
        found: Unreachable | None = error.__dict__.get("unreachable")
        return found

    def error(self, words: PaddingWords) -> ValueError:
        """The error, which says what is wrong and what padding there is instead.

        Args:
            words: how the caller writes their padding.
        """
        said = ValueError(" ".join(filter(None, (self.sentence, way_out(self.axes, words)))))
        said.__dict__["unreachable"] = self
        return said


@contextmanager
def restated(again: Callable[[Unreachable], ValueError]) -> Iterator[None]:
    """Has the error of a size that cannot be reached said anew, as the caller would say it.

    Args:
        again: the error to raise in its place.

    Raises:
        ValueError: in place of the one raised inside; any other is left as it is.
    """
    try:
        yield
    except ValueError as error:
        found = Unreachable.of(error)
        if found is None:
            raise
        raise again(found) from None


def way_out(axes: Sequence[AskedAxis], words: PaddingWords) -> str:
    """Which padding reaches the sizes asked for, the nearest to the present one, or what else has
    to change; nothing where no axis is wrong.
    """  # noqa: D205
    asked = [axis for axis in axes if not axis.is_open]
    wrong = [axis for axis in asked if axis.output_size not in axis.reached(axis.padding)]
    for axis in asked:
        if axis.output_size > axis.most:  # type: ignore[operator]
            return (
                f"No padding gives more than {axis.most} {axis.unit} of {axis.input_size}; "
                f"{axis.output_size} need a kernel of at least {axis.least_kernel}."
            )
    found = [axis.nearest(words.alike) for axis in axes]
    for axis, sides in zip(axes, found, strict=True):
        if sides is None and words.alike:
            return (
                f"No padding that is equal on both sides gives {axis.output_size} {axis.unit} of "
                f"{axis.input_size}."
            )
    pairs = tuple(sides for sides in found if sides is not None)
    if not wrong or len(pairs) < len(found):
        return ""
    padding: str | tuple[Sides, ...] = pairs
    for name in reversed(PADDING_NAMES):
        named = all(axis.gives(name, sides) for axis, sides in zip(axes, pairs, strict=True))
        if words.named and named:
            padding = name
    first = axes.index(wrong[0])
    legal = wrong[0].reached(padding if isinstance(padding, str) else padding[first])
    sizes = " and ".join(map(str, dict.fromkeys(axis.output_size for axis in asked)))
    others = f" ({legal.start}..{legal.stop - 1} {wrong[0].unit})" if len(legal) > 1 else ""
    return f"But {words.show(padding)} reaches {sizes}{others}."


def exhausted_message(names: AxisNames, stride: int, dilation: int, padding: Padding) -> str:
    """The sentence for a padding that leaves no output; ``{}`` for input, kernel, most to pad."""
    return (
        f"{names.padding}={_shown(padding)} takes off more than {{}} input {names.unit} give: "
        f"kernel {{}}, stride {stride}, dilation {dilation}; the two sides together may take at "
        "most {}."
    )


def check_integer(argument: str, value: Any, lowest: int, highest: int | None = None) -> int:
    """`value` as a Python integer in ``lowest .. highest``, or an error that names `argument`."""
    legal = f"from {lowest} to {highest}" if highest is not None else f"of at least {lowest}"
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        raise TypeError(f"{argument}={value} is a bool; it must be an integer {legal}.")
    try:
        integer = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{argument}={brief(value)} is {a_type(value)}; it must be an integer {legal}."
        ) from None
    if integer < lowest or (highest is not None and integer > highest):
        raise ValueError(f"{argument}={integer} is out of range; it must be an integer {legal}.")
    return integer


def check_name(argument: str, value: Any, names: Iterable[str], instead: str = "") -> str:
    """`value` as one of `names`, case folded to theirs, or an error that suggests the nearest."""
    names = tuple(names)
    legal = ", ".join(f'"{name}"' for name in names) + (f" or {instead}" if instead else "")
    if not isinstance(value, str):
        raise TypeError(f"{argument}={brief(value)} is {a_type(value)}; it must be one of {legal}.")
    folded = {name.lower(): name for name in names}
    if value.lower() in folded:
        return folded[value.lower()]
    near = difflib.get_close_matches(value.lower(), folded, n=1, cutoff=0.5)
    hint = f' Did you mean "{folded[near[0]]}"?' if near else ""
    raise ValueError(f'{argument}="{value}" is unknown; it must be one of {legal}.{hint}')


def check_padding(padding: Any, argument: str = "padding") -> Padding:
    """`padding` of one axis as "SAME", "VALID" or a pair (before, after) of integers."""
    if isinstance(padding, str) or not isinstance(padding, Sequence):
        return check_name(argument, padding, PADDING_NAMES, "a pair (before, after)")
    if len(padding) != 2:
        raise ValueError(
            f"{argument}={brief(padding)} has {entry_count(padding)}; explicit padding of an "
            "axis is a pair (before, after) of integers of at least 0."
        )
    before, after = (
        check_integer(f"{argument}[{side}]", cells, 0) for side, cells in enumerate(padding)
    )
    return before, after


def with_article(name: str) -> str:
    """`name` as a message says it: "an int", "a str"."""
    # "a uint8" and "a Unit" begin with the sound of "you", "an ndarray" with that of "en".
    return f"{'an' if re.match('[aeio]|u(?!ni|int|s)|nd', name.lower()) else 'a'} {name}"


def a_type(value: Any) -> str:
    """The type of `value` as a message says it: "an int", "a str"."""
    return with_article(type(value).__name__)


def entry_count(value: Sized) -> str:
    """How many entries `value` has, as a message says it: "1 entry", "3 entries"."""
    return "1 entry" if len(value) == 1 else f"{len(value)} entries"


def brief(value: Any, limit: int = 60) -> str:
    """`value` on one short line, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _shown(padding: Padding) -> str:
    return f'"{padding}"' if isinstance(padding, str) else str(padding)


def _legal_sizes(input_size: int, kernel: int, stride: int, padding: Padding) -> range:
    lowest = (input_size - 1) * stride + lowest_surplus(kernel, padding)
    return range(max(lowest, 0), max(lowest + stride, 0))


def _bounded(first: int, last: int, size: int) -> range:
    start = min(max(first, 0), size)
    return range(start, max(min(last + 1, size), start))


def _ceil_div(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
