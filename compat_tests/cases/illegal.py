"""Calls that every implementation ought to refuse, one row each.

A row says what it changes in one legal call, `BASE`, the error it wants and what the message has to
hold. Values are plain Python and NumPy; what only TensorFlow can make is a `Special`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from compat_tests.cases.inputs import ramp
from compat_tests.oracle import Array

Error = Literal["ValueError", "TypeError"]
VALUE: Error = "ValueError"
TYPE: Error = "TypeError"
SpecialKind = Literal["ragged", "sparse", "string_tensor", "keras_tensor", "unknown_rank"]


@dataclass(frozen=True)
class Special:
    """Stands for an object that the subject has to make.

    Attributes:
        kind: "ragged", "sparse" and "string_tensor" are tensors of rank 4; "keras_tensor" is a
            symbolic one; "unknown_rank" is one in a graph of which not even the rank is known.
    """

    kind: SpecialKind


@dataclass(frozen=True)
class IllegalCase:
    """A call that must be refused.

    Attributes:
        name: short, unique, without spaces.
        changes: what differs from `BASE`, by argument name.
        error: the error it wants.
        message: regular expression that the message has to match somewhere.
        note: what is known about how implementations fare.
    """

    name: str
    changes: Mapping[str, object] = field(hash=False)
    error: Error
    message: str
    note: str = ""

    @property
    def id(self) -> str:
        """The name, with the family in front."""
        return f"illegal-{self.name}"

    @property
    def arguments(self) -> dict[str, object]:
        """The whole call: `BASE` with the changes."""
        return {**BASE, **self.changes}


def numbers(*shape: int) -> Array:
    """A float32 ramp of that shape."""
    return ramp(shape, 61).astype(np.float32)


BASE: Mapping[str, object] = {
    "input": numbers(2, 5, 5, 4),
    "filters": numbers(3, 3, 6, 4),
    "output_shape": [2, 10, 10, 6],
    "strides": 2,
    "padding": "SAME",
}
"""The legal call: 5x5 to 10x10, kernel 3, stride 2, four channels to six."""


def _row(
    name: str, changes: Mapping[str, object], error: Error, message: str, note: str = ""
) -> IllegalCase:
    return IllegalCase(name, changes, error, message, note)


ABORTS = "tf.nn.conv2d_transpose aborts the process with oneDNN"
ACCEPTS = "tf.nn.conv2d_transpose accepts it with oneDNN"
VAGUE = "tf.nn.conv2d_transpose names no argument"

_FIRST = {"input": numbers(2, 4, 5, 5), "output_shape": [2, 6, 10, 10], "data_format": "NCHW"}
_SIX = {"input": numbers(2, 7, 7, 4), "strides": 5, "padding": "VALID"}
_FIVE = {"input": numbers(1, 2, 3, 3, 4), "filters": numbers(3, 3, 5, 4)}
_TWO = {"input": numbers(2, 2, 2, 4)}

ILLEGAL: tuple[IllegalCase, ...] = (
    # output_shape: form
    _row(
        "output-1-entry",
        {"output_shape": [10]},
        VALUE,
        r"output_shape=\[10\] has 1 entry; .* 2 .*or 4",
    ),
    _row(
        "output-3-entries",
        {"output_shape": [2, 10, 10]},
        VALUE,
        r"output_shape=.* has 3 entries; .* 2 .*or 4",
        ABORTS,
    ),
    _row(
        "output-5-entries",
        {"output_shape": [2, 10, 10, 6, 1]},
        VALUE,
        "output_shape=.* has 5 entries; .* 2 .*or 4",
    ),
    _row(
        "output-empty", {"output_shape": []}, TYPE, r"output_shape=\[\] .*2 \(height, width\) or 4"
    ),
    _row(
        "output-scalar",
        {"output_shape": 10},
        TYPE,
        "output_shape=10 is an int; .*2 .* or 4 integers",
        ABORTS,
    ),
    _row(
        "output-string",
        {"output_shape": "10,10"},
        TYPE,
        "output_shape='10,10' is a str; .*2 .* or 4 integers",
    ),
    _row(
        "output-set",
        {"output_shape": {2, 10, 6}},
        TYPE,
        "output_shape=.* is a set; .*2 .* or 4 integers",
    ),
    _row(
        "output-dict",
        {"output_shape": {"height": 10}},
        TYPE,
        "output_shape=.* is a dict; .*2 .* or 4 integers",
    ),
    _row(
        "output-matrix",
        {"output_shape": np.ones((2, 2), np.int32)},
        VALUE,
        r"output_shape is .* shape \(2, 2\); .*2 .* or 4",
    ),
    _row(
        "output-float-array",
        {"output_shape": np.array([2, 10, 10, 6], np.float32)},
        TYPE,
        "output_shape .*float32.* integer",
    ),
    _row(
        "output-bool-array",
        {"output_shape": np.array([True, True])},
        TYPE,
        "output_shape .*bool.* integer",
    ),
    _row(
        "output-string-array",
        {"output_shape": np.array(["10", "10"])},
        TYPE,
        "output_shape .*string.* integer",
    ),
    # output_shape: entries
    _row(
        "output-nan",
        {"output_shape": [2, math.nan, 10, 6]},
        TYPE,
        r"output_shape\[1\]=nan is a float; .* at least 0",
    ),
    _row(
        "output-infinite",
        {"output_shape": [2, 10, math.inf, 6]},
        TYPE,
        r"output_shape\[2\]=inf is a float; .* at least 0",
    ),
    _row(
        "output-float",
        {"output_shape": [2, 10.0, 10, 6]},
        TYPE,
        r"output_shape\[1\]=10.0 is a float; .* at least 0",
    ),
    _row(
        "output-bool",
        {"output_shape": [2, True, 10, 6]},
        TYPE,
        r"output_shape\[1\]=True is a bool; .* at least 0",
    ),
    _row(
        "output-none-entry",
        {"output_shape": [None, 10, 10, 6]},
        TYPE,
        r"output_shape\[0\]=None .* at least 0",
    ),
    _row(
        "output-string-entry",
        {"output_shape": [2, "10", 10, 6]},
        TYPE,
        r"output_shape\[1\]='10' is a str; .* at least 0",
    ),
    _row(
        "output-nested",
        {"output_shape": [2, [10], 10, 6]},
        TYPE,
        r"output_shape\[1\]=\[10\] is a list; .* at least 0",
    ),
    _row(
        "output-negative",
        {**_SIX, "output_shape": [2, -1, 33, 6]},
        VALUE,
        r"output_shape\[1\]=-1 is out of range; .* at least 0",
        ABORTS,
    ),
    _row(
        "output-negative-pair",
        {"output_shape": [10, -10]},
        VALUE,
        r"output_shape\[1\]=-10 is out of range; .* at least 0",
    ),
    _row(
        "output-negative-batch",
        {"output_shape": [-1, 10, 10, 6]},
        VALUE,
        r"output_shape\[0\]=-1 is out of range; .* at least 0",
    ),
    # output_shape: sizes that the input does not reach
    _row(
        "output-0-rows",
        {"output_shape": [2, 0, 10, 6]},
        VALUE,
        r"output_shape\[1\]=0 cannot come from 5 input rows: "
        r"kernel 3, stride 2, dilation 1, padding \"SAME\" reach 9\.\.10",
        ACCEPTS,
    ),
    _row(
        "output-unreachable-rows",
        {"output_shape": [2, 8, 10, 6]},
        VALUE,
        r"output_shape\[1\]=8 cannot come from 5 input rows: "
        r"kernel 3, stride 2, dilation 1, padding \"SAME\" reach 9\.\.10\.",
        VAGUE,
    ),
    _row(
        "output-unreachable-columns",
        {"output_shape": [2, 10, 11, 6]},
        VALUE,
        r"output_shape\[2\]=11 cannot come from 5 input columns: .* reach 9\.\.10\.",
        VAGUE,
    ),
    _row(
        "output-unreachable-pair",
        {"output_shape": [10, 8]},
        VALUE,
        r"output_shape\[1\]=8 cannot come from 5 input columns: .* reach 9\.\.10\.",
    ),
    _row(
        "output-unreachable-array",
        {"output_shape": np.array([2, 10, 12, 6])},
        VALUE,
        r"output_shape\[2\]=12 cannot come from 5 input columns: .* reach 9\.\.10\.",
        VAGUE,
    ),
    _row(
        "output-unreachable-nchw",
        {**_FIRST, "output_shape": [2, 6, 10, 8]},
        VALUE,
        r"output_shape\[3\]=8 cannot come from 5 input columns: .* reach 9\.\.10\.",
    ),
    _row(
        "output-unreachable-valid",
        {"padding": "VALID", "output_shape": [2, 10, 11, 6]},
        VALUE,
        r"output_shape\[1\]=10 cannot come from 5 input rows: .*\"VALID\" reach 11\.\.12\.",
        VAGUE,
    ),
    _row(
        "output-unreachable-explicit",
        {"padding": [[0, 0], [1, 0], [0, 2], [0, 0]], "output_shape": [2, 11, 8, 6]},
        VALUE,
        r"output_shape\[2\]=8 cannot come from 5 input columns: .*padding \(0, 2\) reach 9\.\.10\.",
        VAGUE,
    ),
    _row(
        "output-unreachable-dilated",
        {"padding": "VALID", "dilations": [1, 2], "output_shape": [2, 11, 12, 6]},
        VALUE,
        r"output_shape\[2\]=12 cannot come from 5 input columns: "
        r"kernel 3, stride 2, dilation 2, padding \"VALID\" reach 13\.\.14\.",
        VAGUE,
    ),
    _row(
        "output-unreachable-stride-1",
        {"strides": 1, "output_shape": [2, 6, 5, 6]},
        VALUE,
        r"output_shape\[1\]=6 cannot come from 5 input rows: .* reach 5\.\.5\.",
        VAGUE,
    ),
    _row(
        "output-below-kernel",
        {"input": numbers(2, 1, 1, 4), "output_shape": [2, 2, 2, 6], "padding": "VALID"},
        VALUE,
        r"output_shape\[1\]=2 cannot come from 1 input rows: .* reach 3\.\.4\.",
        ACCEPTS,
    ),
    _row(
        "output-from-no-rows",
        {"input": numbers(2, 0, 5, 4), "output_shape": [2, 2, 10, 6]},
        VALUE,
        r"output_shape\[1\]=2 cannot come from 0 input rows: .* reach 0\.\.0\.",
    ),
    _row(
        "output-2-to-the-40",
        {"output_shape": [2, 2**40, 14, 6]},
        VALUE,
        r"output_shape\[1\]=1099511627776 cannot come from 5 input rows: .* reach 9\.\.10\.",
        ACCEPTS,
    ),
    _row(
        "output-2-to-the-64",
        {"output_shape": [2, 10, 2**64, 6]},
        VALUE,
        r"output_shape\[2\]=18446744073709551616 cannot come from 5 input columns: "
        r".* reach 9\.\.10\.",
    ),
    _row(
        "output-batch-0",
        {"output_shape": [0, 10, 10, 6]},
        VALUE,
        r"output_shape\[0\]=0 is not the batch of input; it must be 2\.",
        ACCEPTS,
    ),
    _row(
        "output-batch-3",
        {"output_shape": [3, 10, 10, 6]},
        VALUE,
        r"output_shape\[0\]=3 is not the batch of input; it must be 2\.",
        VAGUE,
    ),
    _row(
        "output-0-channels",
        {"output_shape": [2, 10, 10, 0]},
        VALUE,
        r"output_shape\[3\]=0 .* 6, 12, 24\.",
    ),
    _row(
        "output-5-channels",
        {"output_shape": [2, 10, 10, 5]},
        VALUE,
        r"output_shape\[3\]=5 .* 6, 12, 24\.",
        VAGUE,
    ),
    _row(
        "output-18-channels",
        {"output_shape": [2, 10, 10, 18]},
        VALUE,
        r"output_shape\[3\]=18 .* 4 input channels; .* 6, 12, 24\.",
        VAGUE,
    ),
    _row(
        "output-12-channels-1-group",
        {"output_shape": [2, 10, 10, 12], "groups": 1},
        VALUE,
        r"output_shape\[3\]=12 is not filters.shape\[2\] times 1 group; it must be 6\.",
    ),
    _row(
        "output-nchw-channels-last",
        {**_FIRST, "output_shape": [2, 10, 10, 6]},
        VALUE,
        r"output_shape\[1\]=10 .* 6, 12, 24\.",
        VAGUE,
    ),
    # sizes too large to index
    _row(
        "huge-output",
        {**_TWO, "output_shape": [2, 2**30, 2**30, 6], "strides": 2**29},
        VALUE,
        r"output_shape: .*1073741824 x .*1073741824 .* too many elements .* 2147483647\.",
        ABORTS,
    ),
    _row(
        "huge-default-output",
        {**_TWO, "output_shape": None, "strides": 2**20},
        VALUE,
        r"output_shape: .*2097152 x .*2097152 .* too many elements .* 2147483647\.",
    ),
    _row(
        "huge-one-row",
        {**_TWO, "output_shape": [2, 2**31, 2, 6], "strides": [2**30, 1]},
        VALUE,
        r"output_shape: .*2147483648 x .* too many elements .* 2147483647\.",
    ),
    _row(
        "huge-dilated",
        {
            "input": numbers(2, 5, 5, 4),
            "output_shape": None,
            "padding": "VALID",
            "dilations": 2**20,
        },
        VALUE,
        r"output_shape: .*dilations 1048576, 1048576\) are too many elements .* 2147483647\.",
    ),
    # input
    _row("input-none", {"input": None}, TYPE, r"input=None .*rank 4"),
    _row(
        "input-scalar",
        {"input": np.float32(1)},
        VALUE,
        r"input has rank 0.* rank 4, \[batch, height, width, in_channels\]",
    ),
    _row(
        "input-rank-3",
        {"input": numbers(5, 5, 4)},
        VALUE,
        r"input has rank 3.* rank 4, \[batch, height, width, in_channels\]",
        VAGUE,
    ),
    _row(
        "input-rank-3-nchw",
        {**_FIRST, "input": numbers(4, 5, 5)},
        VALUE,
        r"input has rank 3.* rank 4, \[batch, in_channels, height, width\]",
    ),
    _row(
        "input-rank-5",
        {**_FIVE, "output_shape": [1, 2, 6, 6, 5]},
        VALUE,
        r"input has rank 5.* rank 4",
        ACCEPTS,
    ),
    _row(
        "input-unknown-rank",
        {"input": Special("unknown_rank")},
        VALUE,
        "input has unknown rank; .* rank 4",
    ),
    _row(
        "input-ragged",
        {"input": Special("ragged")},
        TYPE,
        "input is a RaggedTensor; .* dense tensor of rank 4",
    ),
    _row(
        "input-sparse",
        {"input": Special("sparse")},
        TYPE,
        "input is a SparseTensor; .* dense tensor of rank 4",
    ),
    _row(
        "input-string",
        {"input": Special("string_tensor")},
        TYPE,
        "input has dtype string; .*float16, bfloat16, float32, float64, int32",
    ),
    _row(
        "input-keras",
        {"input": Special("keras_tensor")},
        TYPE,
        "input is a KerasTensor.* rank 4.*Conv2DTranspose",
    ),
    _row(
        "input-bool",
        {"input": numbers(2, 5, 5, 4) > 0},
        TYPE,
        "input has dtype bool; .*float16, bfloat16, float32, float64, int32",
    ),
    _row(
        "input-complex",
        {"input": numbers(2, 5, 5, 4) + 1j},
        TYPE,
        "input has dtype complex.*; .*float16, bfloat16, float32, float64, int32",
    ),
    _row(
        "input-uint8",
        {"input": np.zeros((2, 5, 5, 4), np.uint8)},
        TYPE,
        "input has dtype uint8; .*float16, bfloat16, float32, float64, int32",
    ),
    _row(
        "input-int64",
        {"input": np.zeros((2, 5, 5, 4), np.int64)},
        TYPE,
        "input has dtype int64; .*float16, bfloat16, float32, float64, int32",
    ),
    _row(
        "input-uneven-lists",
        {"input": [[[[1.0]], [[1.0, 2.0]]]]},
        TYPE,
        r"input=.* cannot be made a tensor; .*rank 4",
    ),
    _row("input-object", {"input": object()}, TYPE, r"input=.* cannot be made a tensor; .*rank 4"),
    _row(
        "input-3-channels",
        {"input": numbers(2, 5, 5, 3), "output_shape": None},
        VALUE,
        r"filters.shape\[3\]=4 is not the channels of input; it must be 3",
        VAGUE,
    ),
    _row(
        "input-no-channels",
        {"input": numbers(2, 5, 5, 0), "output_shape": None},
        VALUE,
        r"filters.shape\[3\]=4 is not the channels of input; it must be 0",
    ),
    # filters
    _row("filters-none", {"filters": None}, TYPE, r"filters=None .*rank 4"),
    _row(
        "filters-scalar",
        {"filters": np.float32(1.0)},
        VALUE,
        r"filters has rank 0.* rank 4, \[height, width, out_channels/groups, in_channels\]",
        ABORTS,
    ),
    _row("filters-rank-2", {"filters": numbers(3, 3)}, VALUE, r"filters has rank 2.* rank 4"),
    _row(
        "filters-rank-5", {"filters": numbers(3, 3, 3, 6, 4)}, VALUE, r"filters has rank 5.* rank 4"
    ),
    _row(
        "filters-0-rows",
        {"filters": numbers(0, 3, 6, 4)},
        VALUE,
        r"filters.shape\[0\]=0 \(height\): .* at least 1",
        ACCEPTS,
    ),
    _row(
        "filters-0-columns",
        {"filters": numbers(3, 0, 6, 4)},
        VALUE,
        r"filters.shape\[1\]=0 \(width\): .* at least 1",
    ),
    _row(
        "filters-0-outputs",
        {"filters": numbers(3, 3, 0, 4)},
        VALUE,
        r"filters.shape\[2\]=0 \(out_channels/groups\): .* at least 1",
    ),
    _row(
        "filters-0-inputs",
        {"filters": numbers(3, 3, 6, 0)},
        VALUE,
        r"filters.shape\[3\]=0 \(in_channels\): .* at least 1",
    ),
    _row(
        "filters-3-inputs",
        {"filters": numbers(3, 3, 6, 3)},
        VALUE,
        r"filters.shape\[3\]=3 is not the channels of input; it must be 4",
        VAGUE,
    ),
    _row(
        "filters-axes-swapped",
        {"filters": numbers(3, 3, 4, 6)},
        VALUE,
        r"output_shape\[3\]=6 does not go with filters of 4 output channels",
        VAGUE,
    ),
    _row(
        "filters-float64",
        {"filters": numbers(3, 3, 6, 4).astype(np.float64)},
        TYPE,
        "filters has dtype float64 and input float32; .* the same",
    ),
    _row(
        "filters-int32",
        {"filters": numbers(3, 3, 6, 4).astype(np.int32)},
        TYPE,
        "filters has dtype int32 and input float32; .* the same",
    ),
    _row(
        "filters-half",
        {"filters": numbers(3, 3, 6, 4).astype(np.float16)},
        TYPE,
        "filters has dtype float16 and input float32; .* the same",
    ),
    _row(
        "filters-string",
        {"filters": np.full((3, 3, 6, 4), "a")},
        TYPE,
        "filters has dtype string; .*float16, bfloat16, float32, float64, int32",
    ),
    _row(
        "filters-ragged",
        {"filters": Special("ragged")},
        TYPE,
        "filters is a RaggedTensor; .* dense tensor of rank 4",
    ),
    # strides
    _row("strides-0", {"strides": 0}, VALUE, "strides=0 is out of range; .* from 1 to 2147483647"),
    _row(
        "strides-negative",
        {"strides": [1, 2, -2, 1]},
        VALUE,
        r"strides\[2\]=-2 is out of range; .* from 1 to 2147483647",
    ),
    _row(
        "strides-float", {"strides": 2.0}, TYPE, "strides=2.0 is a float; .* from 1 to 2147483647"
    ),
    _row(
        "strides-nan",
        {"strides": [2, math.nan]},
        TYPE,
        r"strides\[1\]=nan is a float; .* from 1 to 2147483647",
    ),
    _row(
        "strides-bool", {"strides": True}, TYPE, "strides=True is a bool; .* from 1 to 2147483647"
    ),
    _row(
        "strides-none",
        {"strides": None},
        TYPE,
        "strides=None is a NoneType; .* from 1 to 2147483647",
    ),
    _row("strides-string", {"strides": "2"}, TYPE, "strides='2' is a str; .* from 1 to 2147483647"),
    _row(
        "strides-dict",
        {"strides": {"height": 2}},
        TYPE,
        "strides=.* is a dict; .* from 1 to 2147483647",
    ),
    _row("strides-empty", {"strides": []}, VALUE, r"strides=\[\] has 0 entries; .* 1, 2 .* or 4"),
    _row(
        "strides-3-entries",
        {"strides": [1, 2, 2]},
        VALUE,
        r"strides=.* has 3 entries; .* 1, 2 .* or 4",
    ),
    _row(
        "strides-5-entries",
        {"strides": [1, 2, 2, 1, 1]},
        VALUE,
        r"strides=.* has 5 entries; .* 1, 2 .* or 4",
    ),
    _row(
        "strides-batch",
        {"strides": [2, 2, 2, 1]},
        VALUE,
        r"strides\[0\]=2 is for the batch axis of NHWC; it must be 1",
    ),
    _row(
        "strides-channels",
        {"strides": [1, 2, 2, 2]},
        VALUE,
        r"strides\[3\]=2 is for the channel axis of NHWC; it must be 1",
    ),
    _row(
        "strides-channels-nchw",
        {**_FIRST, "strides": [1, 2, 2, 1]},
        VALUE,
        r"strides\[1\]=2 is for the channel axis of NCHW; it must be 1",
    ),
    _row(
        "strides-2-to-the-31",
        {"strides": 2**31},
        VALUE,
        "strides=2147483648 is out of range; .* from 1 to 2147483647",
    ),
    # dilations
    _row(
        "dilation-0",
        {"dilations": [1, 0]},
        VALUE,
        r"dilations\[1\]=0 is out of range; .* from 1 to 2147483647",
    ),
    _row(
        "dilation-negative",
        {"dilations": -1},
        VALUE,
        "dilations=-1 is out of range; .* from 1 to 2147483647",
    ),
    _row(
        "dilation-float",
        {"dilations": 1.5},
        TYPE,
        "dilations=1.5 is a float; .* from 1 to 2147483647",
    ),
    _row(
        "dilation-string",
        {"dilations": "1"},
        TYPE,
        "dilations='1' is a str; .* from 1 to 2147483647",
    ),
    _row(
        "dilation-3-entries",
        {"dilations": (1, 1, 1)},
        VALUE,
        r"dilations=.* has 3 entries; .* 1, 2 .* or 4",
    ),
    _row(
        "dilation-batch",
        {"dilations": [2, 1, 1, 1]},
        VALUE,
        r"dilations\[0\]=2 is for the batch axis of NHWC; it must be 1",
    ),
    _row(
        "dilation-2-to-the-31",
        {"dilations": 2**31},
        VALUE,
        "dilations=2147483648 is out of range; .* from 1 to 2147483647",
        ABORTS,
    ),
    # padding
    _row(
        "padding-typo",
        {"padding": "SMAE"},
        VALUE,
        'padding="SMAE" is unknown; .*"SAME", "VALID".*Did you mean "SAME"',
    ),
    _row(
        "padding-typo-valid",
        {"padding": "vald"},
        VALUE,
        'padding="vald" is unknown; .*Did you mean "VALID"',
    ),
    _row(
        "padding-full", {"padding": "FULL"}, VALUE, 'padding="FULL" is unknown; .*"SAME", "VALID"'
    ),
    _row(
        "padding-explicit-by-name",
        {"padding": "EXPLICIT"},
        VALUE,
        r'padding="EXPLICIT" is unknown; .*\[top, bottom\]',
    ),
    _row("padding-none", {"padding": None}, TYPE, 'padding=None is a NoneType; .*"SAME", "VALID"'),
    _row("padding-integer", {"padding": 1}, TYPE, 'padding=1 is an int; .*"SAME", "VALID"'),
    _row(
        "padding-2-pairs",
        {"padding": [[1, 1], [1, 1]]},
        VALUE,
        r"padding=.* has 2 entries; explicit padding has 4",
    ),
    _row(
        "padding-1-cell",
        {"padding": [[0, 0], [1], [1, 1], [0, 0]]},
        VALUE,
        r"padding\[1\]=\(1,\) has 1 entry; .* pair",
    ),
    _row("padding-flat", {"padding": [0, 1, 1, 0]}, TYPE, r"padding\[0\]=0 is an int; .* pair"),
    _row(
        "padding-negative",
        {"padding": [[0, 0], [-1, 0], [0, 0], [0, 0]]},
        VALUE,
        r"padding\[1\]\[0\]=-1 is out of range; .* at least 0",
    ),
    _row(
        "padding-float",
        {"padding": [[0, 0], [0.5, 0], [0, 0], [0, 0]]},
        TYPE,
        r"padding\[1\]\[0\]=0.5 is a float; .* at least 0",
    ),
    _row(
        "padding-batch",
        {"padding": [[1, 0], [0, 0], [0, 0], [0, 0]]},
        VALUE,
        r"padding\[0\]=.* is for the batch axis of NHWC; it must be \(0, 0\)",
    ),
    _row(
        "padding-channels",
        {"padding": [[0, 0], [0, 0], [0, 0], [0, 1]]},
        VALUE,
        r"padding\[3\]=.* is for the channel axis of NHWC; it must be \(0, 0\)",
    ),
    _row(
        "padding-channels-nchw",
        {**_FIRST, "padding": [[0, 0], [1, 1], [1, 1], [0, 0]]},
        VALUE,
        r"padding\[1\]=.* is for the channel axis of NCHW; it must be \(0, 0\)",
    ),
    _row(
        "padding-beyond-output",
        {"padding": [[0, 0], [9, 9], [0, 0], [0, 0]], "output_shape": None},
        VALUE,
        r"padding\[1\]=\(9, 9\) takes off more than 5 input rows give: .* at most 12",
    ),
    _row(
        "padding-2-to-the-31",
        {"padding": [[0, 0], [2**31, 0], [0, 0], [0, 0]]},
        VALUE,
        r"padding\[1\]\[0\]=2147483648 is out of range; .* from 0 to 2147483647",
    ),
    # data_format, groups, lowering
    _row(
        "format-typo",
        {"data_format": "NHCW"},
        VALUE,
        'data_format="NHCW" is unknown; .*"NHWC", "NCHW".*Did you mean',
    ),
    _row(
        "format-keras",
        {"data_format": "channels_last"},
        VALUE,
        'data_format="channels_last" is unknown; .*"NHWC", "NCHW"',
    ),
    _row("format-integer", {"data_format": 0}, TYPE, 'data_format=0 is an int; .*"NHWC", "NCHW"'),
    _row("groups-0", {"groups": 0}, VALUE, "groups=0 is out of range; .* from 1 to 2147483647"),
    _row(
        "groups-negative",
        {"groups": -2},
        VALUE,
        "groups=-2 is out of range; .* from 1 to 2147483647",
    ),
    _row("groups-float", {"groups": 2.0}, TYPE, "groups=2.0 is a float; .* from 1 to 2147483647"),
    _row("groups-bool", {"groups": True}, TYPE, "groups=True is a bool; .* from 1 to 2147483647"),
    _row(
        "groups-3-of-4",
        {"groups": 3, "output_shape": None},
        VALUE,
        "groups=3 does not divide the 4 input channels; .* 1, 2, 4",
    ),
    _row(
        "groups-5-of-4",
        {"groups": 5, "output_shape": None},
        VALUE,
        "groups=5 does not divide the 4 input channels; .* 1, 2, 4",
    ),
    _row(
        "groups-2-output-6",
        {"groups": 2},
        VALUE,
        r"output_shape\[3\]=6 is not filters.shape\[2\] times 2 groups; it must be 12\.",
    ),
    _row(
        "lowering-typo",
        {"lowering": "zero_insertoin"},
        VALUE,
        'lowering="zero_insertoin" is unknown; .*Did you mean "zero_insertion"',
    ),
    _row("lowering-none", {"lowering": None}, TYPE, 'lowering=None is a NoneType; .*"auto"'),
)


def cases() -> tuple[IllegalCase, ...]:
    """All rows."""
    return ILLEGAL
