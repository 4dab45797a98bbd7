"""Checks of sizes known only at run time: they raise there, and nothing is computed without."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tf_tconv.functional.conditions import Check
from tf_tconv.ops.tensorflow import sizes

NO_SIZE = -2  # -1 would be the size that fits.


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
