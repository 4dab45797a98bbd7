"""One axis whose sizes are known only when the graph runs, and the checks that then remain."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_tconv.geometry import (
    DEFAULT_NAMES,
    AskedAxis,
    AxisGeometry,
    AxisNames,
    AxisRelations,
    Padding,
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
from tf_tconv.lowerings.shapes import maximum, quotient, sizes

NO_SIZE = -2  # -1 would be the size that fits.


@dataclass(frozen=True, eq=False)
class RunTimeAxis(AxisRelations):
    """`AxisGeometry` with scalar int64 tensors for what is not known when the graph is traced.

    Whatever does not depend on the unknown sizes stays an integer: with the default output size
    that is everything but the sizes themselves.
    """

    input_size: Any
    kernel_size: Any
    stride: int
    dilation: int
    surplus: Any
    pad_before: Any
    pad_after: Any

    quotient = staticmethod(quotient)

    @property
    def output_size(self) -> Any:
        """``o``, cells of the output."""
        return maximum((self.input_size - 1) * self.stride + self.surplus, 0)


@dataclass(frozen=True)
class Check:
    """A condition known only at run time, and the sentence for the case that it does not hold.

    Args:
        holds: a scalar boolean tensor.
        sentence: with a gap for each value.
        values: sizes: integers or scalar tensors.
        legal: makes of the values, as scalar int64 tensors, the text for one more gap, the last;
            `None` if there is none.
    """

    holds: Any
    sentence: str
    values: tuple[Any, ...]
    legal: Callable[..., Any] | None = None


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

    def solve(self, input_size: Any, kernel_size: Any) -> tuple[Any, tuple[Check, ...]]:
        """The axis and the checks left for the run.

        Args:
            input_size: an integer or a scalar tensor.
            kernel_size: an integer or a scalar tensor.

        Returns:
            An `AxisGeometry` and no checks where all is known, else a `RunTimeAxis`.

        Raises:
            ValueError: what is known is already impossible.
        """
        if not tf.is_tensor(input_size) and not tf.is_tensor(kernel_size):
            if not tf.is_tensor(self.output_size):
                return self._solve_now(input_size, kernel_size, self.output_size), ()
            legal = self.legal_sizes(input_size, kernel_size)
            if len(legal) == 1:
                only = self._solve_now(input_size, kernel_size, legal[0])
                return only, (self._reached(input_size, kernel_size, *legal, *legal),)
        kernel = effective_kernel_size(kernel_size, self.dilation)
        steps = (input_size - 1) * self.stride
        checks: tuple[Check, ...] = ()
        if self.output_size is None:
            surplus = default_surplus(
                kernel, self.stride, self.padding, self.output_padding, maximum
            )
            if not (isinstance(surplus, int) and surplus >= 0):
                # Only an explicit padding can take more than the last input gives.
                sentence = exhausted_message(self.names, self.stride, self.dilation, self.padding)
                most = steps + kernel + self.stride - 1
                checks = (Check(steps + surplus >= 0, sentence, (input_size, kernel_size, most)),)
        else:
            surplus = self.output_size - steps
            lowest = steps + lowest_surplus(kernel, self.padding)
            highest = lowest + self.stride - 1
            checks = (self._reached(input_size, kernel_size, maximum(lowest, 0), highest),)
        before, after = split_padding(kernel, surplus, self.padding, maximum, quotient)
        axis = RunTimeAxis(
            input_size, kernel_size, self.stride, self.dilation, surplus, before, after
        )
        return axis, checks

    def legal_sizes(self, input_size: int, kernel_size: int) -> range:
        """The output sizes that the axis reaches."""
        return legal_output_sizes(input_size, kernel_size, self.stride, self.dilation, self.padding)

    def asked(self, input_size: Any, kernel_size: Any) -> AskedAxis:
        """The axis as far as it is known before the run."""
        known = (
            size if isinstance(size, int) else None
            for size in (kernel_size, input_size, self.output_size)
        )
        kernel, given, size = known
        return AskedAxis(
            kernel, self.stride, self.dilation, self.padding, given, size, self.names.unit
        )

    def _reached(self, input_size: Any, kernel_size: Any, lowest: Any, highest: Any) -> Check:
        size = self.output_size
        widest = (input_size - 1) * self.stride + effective_kernel_size(kernel_size, self.dilation)
        return Check(
            tf.logical_and(lowest <= size, size <= highest),
            unreachable_message(self.names, self.stride, self.dilation, self.padding)
            + reach_of_others(self.padding),
            (size, input_size, kernel_size, lowest, highest, widest, widest + self.stride - 1),
        )

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


def enforce(checks: Sequence[Check]) -> list[Any]:
    """Ops to run before the computation: they raise `InvalidArgumentError` where a check fails.

    They say what is wrong; `tied` sees to it that nothing is computed even where they are dropped.

    One branch a check and one for success. XLA compiles away assertions but not this: there every
    size is known when it compiles, it keeps the one branch taken, and of the branches that raise it
    says that it cannot compile them.

    LiteRT has no form for such a choice, nor for an op that raises. But what nothing takes in its
    converter drops, if only it is inside a conditional. Into that XLA carries no numbers that it
    knows, but shapes: so the number of the branch goes there as the size of a tensor.
    """
    if not checks:
        return []
    position = tf.constant(len(checks))
    for index in reversed(range(len(checks))):
        position = tf.where(checks[index].holds, position, index)
    carried = tf.zeros([position])

    def choose() -> Any:
        return _choose(tf.size(carried), checks)

    return [tf.cond(position < len(checks), choose, _succeed, name="legal_call")]


def tied(x: Any, checks: Sequence[Check]) -> Any:
    """`x`, to be had only where all checks hold.

    What runs before the computation and gives it nothing an optimizer may drop: some of Grappler's
    passes do, and so do the converters to LiteRT and ONNX, which could not express it anyway. So
    the data flow through a reshape, whose shape is theirs if all checks hold, and one that nothing
    has if not. It copies nothing, every target has it, and each refuses it, if with a message of
    its own.
    """
    if not checks:
        return x
    legal = functools.reduce(tf.logical_and, [check.holds for check in checks])
    batch, *others = sizes(x)
    kept = tf.where(legal, tf.cast(batch, tf.int64), tf.constant(NO_SIZE, tf.int64))
    held = tf.reshape(x, [kept, *others], name="legal_call_only")
    held.set_shape(x.shape)
    return held


def _choose(position: Any, checks: Sequence[Check]) -> Any:
    """Raises the sentence of the check at a position; behind the last it does nothing."""
    values = [tf.cast(value, tf.int64) for check in checks for value in check.values]
    signature = [tf.TensorSpec([], tf.int64, name=f"size_{i}") for i in range(len(values))]
    ends = list(itertools.accumulate(len(check.values) for check in checks))
    raising = [
        _raising(check, slice(end - len(check.values), end))
        for check, end in zip(checks, ends, strict=True)
    ]
    # Not by `tf.switch_case`, whose op is taken apart before anything is dropped.
    (result,) = tf.raw_ops.StatelessCase(
        branch_index=position,
        input=values,
        Tout=[tf.float32],
        branches=[
            tf.function(branch, signature, autograph=False).get_concrete_function()
            for branch in (*raising, _succeed)
        ],
        output_shapes=[tf.TensorShape([])],
    )
    return result


def _succeed(*_: Any) -> Any:
    return tf.constant(0.0)


def _raising(check: Check, own: slice) -> Callable[..., Any]:
    # XLA's message shows no values, but the name of the op it met: make that the sentence's words.
    name = re.sub(r"[^A-Za-z0-9]+", "_", check.sentence).strip("_")

    def branch(*values: Any) -> Any:
        if check.legal is None:
            filled = tf.strings.format(check.sentence, values[own], name=name)
        else:
            head, tail = check.sentence.rsplit("{}", 1)
            head = tf.strings.format(head, values[own], name=name)
            filled = tf.strings.join([head, check.legal(*values[own]), tail])
        # A sentence is no number: of the ops that raise, this one quotes its argument unchanged,
        # where an assertion would put backslashes before the sentence's quotes.
        return tf.strings.to_number(filled, name="illegal_call")

    return branch
