"""What is counted on shapes is what NumPy does: products, steps and the largest array.

A wrapper of the functions on NumPy's arrays notes what each really multiplies and makes.
"""

import math

import numpy as np
import pytest

from compat_tests.cases.pairwise import covering_rows
from tf_tconv.lowerings import NAMES, REGISTRY
from tf_tconv.lowerings.calling import by_groups
from tf_tconv.lowerings.faces import FILTER_GRADIENT, FORWARD
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops import numpy as in_numpy
from tf_tconv.ops.counting import Convolution, Counter, Product, count
from tf_tconv.planning.load import gradient_work, load_of, work

AXES = (
    # input, kernel, stride, dilation, crops
    (5, 3, 2, 1, (0, 1)),
    (4, 2, 3, 1, (0, -1)),  # a kernel smaller than the stride
    (3, 4, 2, 1, (1, 1)),
    (4, 3, 1, 2, (2, 2)),
    (3, 2, 4, 2, (0, 0)),
    (1, 5, 3, 1, (1, 1)),
    (2, 6, 1, 1, (0, 0)),  # more taps than cells
    (3, 2, 2, 3, (-2, 1)),
)


class Recorder:
    """NumPy's functions, with a note of what they multiply and make."""

    def __init__(self):
        self.flops = []
        self.moved = []
        self.largest = 0

    def __getattr__(self, name):
        return getattr(in_numpy, name)

    def _made(self, result):
        self.largest = max(self.largest, result.size)
        return np.ascontiguousarray(result)

    def pad(self, x, amounts):
        return self._made(in_numpy.pad(x, amounts))

    def crop(self, x, amounts):
        return self._made(in_numpy.crop(x, amounts))

    def concat(self, parts, axis):
        return self._made(in_numpy.concat(parts, axis))

    def take(self, x, indices):
        return self._made(in_numpy.take(x, indices))

    def tile(self, x, multiples):
        return self._made(in_numpy.tile(x, multiples))

    def reverse(self, x, axis):
        return self._made(in_numpy.reverse(x, axis))

    def transpose(self, x, order):
        result = in_numpy.transpose(x, order)
        if result.flags.c_contiguous:
            return result  # The numbers lie as they lay before.
        return self._made(result)

    def add(self, parts):
        result = in_numpy.add(parts)
        return result if len(parts) == 1 else self._made(result)

    def matmul(self, a, b, *, transpose_a=False, transpose_b=False):
        result = in_numpy.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
        self.flops.append(2 * result.size * a.shape[-2 if transpose_a else -1])
        self.moved.append(a.size + b.size + result.size)
        return self._made(result)

    def conv(self, x, w, pads, **settings):
        result = in_numpy.conv(x, w, pads, **settings)
        *kernel, depth, out = w.shape
        cells = x.shape[1:-1]
        taps = math.prod(min(pair) for pair in zip(kernel, cells, strict=True))
        self.flops.append(2 * result.size * taps * depth)
        self.moved.append(x.size + taps * depth * out + result.size)
        return self._made(result)


def loads():
    """Operations of one to three axes, as the planner takes them."""
    for rank in (1, 2, 3):
        factors = {f"axis {n}": AXES for n in range(rank)}
        factors |= {"groups": (1, 2), "channels": ((2, 3), (1, 1), (3, 2)), "batch": (1, 2)}
        for row in covering_rows(factors):
            sizes, kernel, strides, dilations, crops = zip(
                *(row[f"axis {n}"] for n in range(rank)), strict=True
            )
            into, out = row["channels"]
            operation = TransposedConvolution(
                kernel_size=kernel,
                strides=strides,
                dilations=dilations,
                crops=crops,
                input_size=sizes,
                groups=row["groups"],
                in_channels=into * row["groups"],
                out_channels=out * row["groups"],
            )
            load, assumed = load_of(operation, row["batch"], 4)
            assert not assumed
            yield load


def arrays(load):
    """Input, filters and output, which are as large as their shapes."""
    counter = Counter()
    shapes = (load.images(counter), load.filters(counter), load.result(counter))
    return [np.ones(shape.shape) for shape in shapes]


def multiplying(counted):
    """The steps that multiply, in order."""
    return [step for step in counted.steps if isinstance(step, (Convolution, Product))]


def differences(counted, recorder):
    """What was counted otherwise than recorded."""
    found = {
        "products": ([step.flops for step in multiplying(counted)], recorder.flops),
        "moved by them": ([step.moved for step in multiplying(counted)], recorder.moved),
        "flops": (counted.flops, sum(recorder.flops)),
        "largest": (counted.largest, recorder.largest),
    }
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("lowering", NAMES)
def test_a_lowering_does_in_numpy_what_is_counted(lowering):
    for load in loads():
        x, filters, _ = arrays(load)
        recorder = Recorder()
        w = by_groups(in_numpy, filters, load.operation).copy()
        REGISTRY[lowering].lower(recorder, x, w, load.operation)
        assert not differences(work(load, lowering), recorder), load


@pytest.mark.parametrize("way", FORWARD)
@pytest.mark.parametrize("gradient", ["input", "filters"])
def test_a_gradient_does_in_numpy_what_is_counted(gradient, way):
    for load in loads():
        if way == "product" and load.operation.groups > 1:
            continue  # It is for one group.
        x, filters, y = arrays(load)
        recorder = Recorder()
        if gradient == "input":
            FORWARD[way](recorder, y, filters, load.operation)
        else:
            FILTER_GRADIENT[way](recorder, y, x, load.operation)
        assert not differences(gradient_work(load, gradient, way), recorder), load


@pytest.mark.parametrize(
    ("a", "b", "transposed", "step", "shape"),
    [
        ((5, 3), (3, 4), {}, Product(1, 5, 3, 4), (5, 4)),
        ((5, 3), (4, 3), {"transpose_b": True}, Product(1, 5, 3, 4), (5, 4)),
        ((3, 5), (3, 4), {"transpose_a": True}, Product(1, 5, 3, 4), (5, 4)),
        ((2, 5, 3), (3, 4), {}, Product(1, 10, 3, 4), (2, 5, 4)),  # One matrix of all rows.
        ((2, 5, 3), (1, 3, 4), {}, Product(1, 10, 3, 4), (2, 5, 4)),
        ((2, 5, 3), (2, 3, 4), {}, Product(2, 5, 3, 4, 2, 2), (2, 5, 4)),
        ((6, 1, 5, 3), (2, 3, 4), {}, Product(12, 5, 3, 4, 6, 2), (6, 2, 5, 4)),
        ((1, 5, 3), (2, 3, 4), {}, Product(2, 5, 3, 4, 1, 2), (2, 5, 4)),
    ],
)
def test_a_product_of_batches(a, b, transposed, step, shape):
    ops = Counter()
    found = ops.matmul(ops.given(*a), ops.given(*b), **transposed)
    assert (ops.steps, found.shape) == ([step], shape)
    assert in_numpy.matmul(np.ones(a), np.ones(b), **transposed).shape == shape
    assert step.moved == math.prod(a) + math.prod(b) + math.prod(shape)


def test_the_results_have_the_counted_shapes():
    for load in loads():
        *_, y = arrays(load)
        for name in NAMES:
            algorithm, ops = REGISTRY[name], Counter()
            w = by_groups(ops, load.filters(ops), load.operation)
            found = algorithm.lower(ops, load.images(ops), w, load.operation)
            assert found.shape == y.shape


def test_memory_is_held_as_long_as_its_shape_lives():
    """Numbers: 6 and 12 at once, then 12 and 24, of which 24 are the result."""

    def chain(ops):
        once = ops.pad(ops.given(1, 3), [(1, 0), (0, 0)])
        twice = ops.tile(once, [2, 1])
        del once
        return ops.tile(twice, [1, 2])

    counted = count(chain)
    assert [step.written for step in counted.steps] == [6, 12, 24]
    assert counted.held == 12
    assert counted.largest == 24
    assert counted.flops == 0
