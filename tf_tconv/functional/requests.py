"""What a call asks of an axis, and the axis that follows: sizes known, of the run, or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from tf_tconv import unknown
from tf_tconv.functional.conditions import Check, checked_later
from tf_tconv.geometry import (
    DEFAULT_NAMES,
    AskedAxis,
    AxisGeometry,
    AxisNames,
    Padding,
    Size,
    Unreachable,
    default_surplus,
    effective_kernel_size,
    exhausted_message,
    legal_output_sizes,
    lowest_surplus,
    reach_of_others,
    restated,
    solve_axis,
    split_padding,
    unreachable_message,
)


class Arithmetic(Protocol):
    """What sizes need beside operators."""

    def maximum(self, a: Size, b: Size) -> Size:
        """The larger of two sizes."""

    def quotient(self, a: Size, b: Size, least: int = 0) -> Size:
        """The integer part of a size over another."""


@dataclass(frozen=True)
class AxisRequest:
    """What a call asks of one axis, sizes of input and kernel apart.

    Args:
        stride: cells, checked.
        dilation: cells, checked.
        padding: checked.
        output_size: an integer, a scalar tensor, or `None` for the default.
        output_padding: an integer, or `None`; not together with `output_size`.
        names: what the caller calls the arguments.
    """

    stride: int
    dilation: int
    padding: Padding
    output_size: Any = None
    output_padding: int | None = None
    names: AxisNames = DEFAULT_NAMES

    def solve(
        self, input_size: Size, kernel_size: Size, arithmetic: Arithmetic = unknown
    ) -> tuple[AxisGeometry, tuple[Check, ...]]:
        """The axis and the checks left for the run.

        Args:
            input_size: an int, a scalar of the run, or `UNKNOWN`.
            kernel_size: likewise.
            arithmetic: of such sizes.

        Returns:
            The axis, and no checks where all is known, or nothing will be.

        Raises:
            ValueError: what is known is already impossible.
        """
        if isinstance(input_size, int) and isinstance(kernel_size, int):
            if self.output_size is None or isinstance(self.output_size, int):
                return self._solve_now(input_size, kernel_size, self.output_size), ()
            legal = self.legal_sizes(input_size, kernel_size)
            if len(legal) == 1:
                only = self._solve_now(input_size, kernel_size, legal[0])
                return only, self._reached(input_size, kernel_size, *legal, *legal)
        kernel = effective_kernel_size(kernel_size, self.dilation)
        steps = (input_size - 1) * self.stride
        checks: tuple[Check, ...] = ()
        maximum = arithmetic.maximum
        if self.output_size is None:
            surplus = default_surplus(
                kernel, self.stride, self.padding, self.output_padding, maximum
            )
            if not (isinstance(surplus, int) and surplus >= 0):
                # Only an explicit padding can take more than the last input gives.
                sentence = exhausted_message(self.names, self.stride, self.dilation, self.padding)
                values = (input_size, kernel_size, steps + kernel + self.stride - 1)
                checks = checked_later(sentence, values, lambda: steps + surplus >= 0)
            output = maximum(steps + surplus, 0)
        else:
            surplus = self.output_size - steps
            lowest = steps + lowest_surplus(kernel, self.padding)
            highest = lowest + self.stride - 1
            checks = self._reached(input_size, kernel_size, maximum(lowest, 0), highest)
            output = self.output_size
        before, after = split_padding(kernel, surplus, self.padding, maximum, arithmetic.quotient)
        axis = AxisGeometry(
            *(input_size, kernel_size, self.stride, self.dilation, output, before, after, surplus)
        )
        return axis, checks

    def legal_sizes(self, input_size: int, kernel_size: int) -> range:
        """The output sizes that the axis reaches."""
        return legal_output_sizes(input_size, kernel_size, self.stride, self.dilation, self.padding)

    def asked(self, input_size: Any, kernel_size: Any) -> AskedAxis:
        """The axis as far as it is known before the run."""
        kernel, given, size = map(unknown.known, (kernel_size, input_size, self.output_size))
        return AskedAxis(
            kernel, self.stride, self.dilation, self.padding, given, size, self.names.unit
        )

    def _reached(
        self, input_size: Size, kernel_size: Size, lowest: Size, highest: Size
    ) -> tuple[Check, ...]:
        size = self.output_size
        widest = (input_size - 1) * self.stride + effective_kernel_size(kernel_size, self.dilation)
        values = (size, input_size, kernel_size, lowest, highest, widest, widest + self.stride - 1)
        sentence = unreachable_message(self.names, self.stride, self.dilation, self.padding)
        sentence += reach_of_others(self.padding)
        return checked_later(sentence, values, lambda: (lowest <= size) & (size <= highest))

    def _solve_now(
        self, input_size: int, kernel_size: int, output_size: int | None
    ) -> AxisGeometry:
        return solve_axis(
            input_size,
            kernel_size,
            self.stride,
            self.dilation,
            self.padding,
            output_size,
            self.output_padding,
            self.names,
        )


def paddings_together(
    requests: Sequence[AxisRequest], sizes: Sequence[tuple[Any, Any]]
) -> AbstractContextManager[None]:
    """Has the error of one axis say the padding of all, as the caller has to write it.

    Args:
        requests: of all axes.
        sizes: of input and kernel, an axis each.

    Raises:
        ValueError: in place of the one raised inside.
    """

    def together(found: Unreachable) -> ValueError:
        axes = (request.asked(*each) for request, each in zip(requests, sizes, strict=True))
        return Unreachable(found.sentence, tuple(axes)).error(requests[0].names.words)

    return restated(together)
