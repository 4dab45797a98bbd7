"""The planner: what it chooses from, what it says of it, and that graphs do what was counted."""

import math

import numpy as np
import pytest
import tensorflow as tf

import tf_tconv
from tf_tconv.functional.plan import call_of
from tf_tconv.lowerings import NAMES
from tf_tconv.operation import TransposedConvolution
from tf_tconv.ops.counting import Convolution, Product
from tf_tconv.planning import MEMORY_MULTIPLE, candidates, choose, gradients_by_products
from tf_tconv.planning.engine import engine as backend
from tf_tconv.planning.load import load_of, work

BACKENDS = ("onednn", "plain", "xla")

CALLS = {
    "many channels": ([2, 6, 5, 32], [5, 5, 16, 32], 2),
    "few outputs": ([1, 16, 16, 64], [4, 4, 1, 64], 2),
    "kernel as large as the stride": ([1, 8, 8, 16], [2, 2, 8, 16], 2),
    "kernel smaller than the stride": ([1, 4, 4, 8], [2, 2, 4, 8], 3),
    "stride 1": ([1, 7, 7, 8], [3, 3, 8, 8], 1),
    "one pixel": ([1, 1, 1, 16], [4, 4, 16, 16], 2),
    "unequal axes": ([1, 5, 9, 4], [3, 5, 6, 4], (2, 3)),
}


def load(input_shape, filters_shape, strides, **arguments):
    return call_of(input_shape, filters_shape, None, strides, **arguments)[1].load


@pytest.mark.parametrize("computes", BACKENDS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_lowering_is_a_candidate_and_the_cheapest_is_chosen(call, computes):
    input_shape, filters_shape, strides = call
    found = tf_tconv.plan(input_shape, filters_shape, strides=strides, backend=computes)
    assert sorted(each.lowering for each in found.candidates) == sorted(NAMES)
    seconds = [each.seconds for each in found.candidates]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] < seconds[-1] < 1
    assert found.chosen == next(each for each in found.candidates if not each.excluded)
    assert found.backend == computes
    pixels = math.prod(input_shape[:3])
    useful = 4 / 16 if call is CALLS["one pixel"] else 1  # Of 4 x 4 taps 2 x 2 reach the output.
    assert found.flops == 2 * pixels * math.prod(filters_shape) * useful
    for each in found.candidates:
        assert each.operations > 0
        assert each.bytes > 4 * math.prod(input_shape)
    assert f"> {found.lowering}" in str(found)
    assert all(name in str(found) for name in NAMES)


def test_the_choice_depends_on_what_computes():
    """XLA is slow at convolutions to few channels, and not at matrix products; oneDNN isn't."""
    few = ([16, 32, 32, 128], [5, 5, 3, 128])
    chosen = {name: tf_tconv.plan(*few, strides=2, backend=name).lowering for name in BACKENDS}
    assert chosen["onednn"] == "subpixel"
    assert chosen["xla"] == "overlap_add"


@pytest.mark.parametrize("computes", BACKENDS)
def test_zeros_are_not_paid_for(computes):
    """The price of the choice follows the useful products, not the stride."""
    seconds = {}
    for stride in (2, 16):
        found = tf_tconv.plan([1, 16, 16, 64], [4, 4, 64, 64], strides=stride, backend=computes)
        assert found.lowering != "zero_insertion"
        seconds[stride] = found.chosen.seconds
        inserted = next(c for c in found.candidates if c.lowering == "zero_insertion")
        assert inserted.flops > found.chosen.flops * stride**2 / 3
    # The output is 64 times as large and has to be written; the products are as many.
    assert seconds[16] < 40 * seconds[2]


def test_a_candidate_that_holds_too_much_is_not_chosen():
    """A kernel of 31 x 31 at stride 1 has 961 products a pixel, which scattering holds at once."""
    found = tf_tconv.plan([1, 64, 64, 1], [31, 31, 1, 1])
    limit = MEMORY_MULTIPLE * 2 * 64 * 64 * 4
    by_name = {each.lowering: each for each in found.candidates}
    # The products, and as many images, each padded to its place.
    assert by_name["overlap_add"].temporaries >= 2 * 4 * 64 * 64 * 961
    assert by_name["overlap_add"].temporaries > limit
    assert "16 times" in by_name["overlap_add"].excluded
    assert found.chosen.temporaries <= limit
    for each in found.candidates:
        assert bool(each.excluded) == (each.temporaries > limit)


@pytest.mark.parametrize("lowering", NAMES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("dilations", [1, 2])
def test_the_graph_multiplies_what_was_counted(lowering, call, padding, dilations):
    """FLOPs read from the graph's own convolutions and products equal the counted ones."""
    input_shape, filters_shape, strides = call
    arguments = {"padding": padding, "dilations": dilations}
    sizes = load(input_shape, filters_shape, strides, **arguments)
    counted = work(sizes, lowering)
    function = tf.function(
        lambda x, w: tf_tconv.conv2d_transpose(x, w, None, strides, **arguments, lowering=lowering),
        autograph=False,
    )
    graph = function.get_concrete_function(
        tf.TensorSpec(input_shape), tf.TensorSpec(filters_shape)
    ).graph
    operations = graph.get_operations()
    found = sum(flops_of(each) for each in operations)
    assert found == counted.flops
    multiplying = [op for op in operations if op.type in MULTIPLYING]
    steps = [step for step in counted.steps if isinstance(step, (Convolution, Product))]
    assert len(multiplying) == len(steps)


MULTIPLYING = ("Conv2D", "MatMul", "BatchMatMulV2")


def flops_of(operation):
    """Multiplications and additions of one operation, at most as many taps as the image has."""
    if operation.type == "Conv2D":
        batch, height, width, out = operation.outputs[0].shape
        image, kernel = operation.inputs[0].shape, operation.inputs[1].shape
        taps = math.prod(min(kernel[axis], image[axis + 1]) for axis in (0, 1))
        return 2 * batch * height * width * out * taps * kernel[2]
    if operation.type in MULTIPLYING:
        depth = operation.inputs[0].shape[-1]
        return 2 * math.prod(operation.outputs[0].shape) * depth
    return 0


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_unknown_sizes_keep_the_fast_path(padding):
    """A fully convolutional model multiplies by no inserted zero."""
    found = tf_tconv.plan(
        [None, None, None, 64], [5, 5, 3, 64], strides=2, padding=padding, backend="onednn"
    )
    assert found.lowering == "subpixel"
    assert found.assumed == ("batch 4", "height 48", "width 48")
    layer = tf_tconv.Conv2DTranspose(3, 5, strides=2, padding=padding.lower())
    traced = tf.function(layer).get_concrete_function(tf.TensorSpec([None, None, None, 64]))
    (convolution,) = [op for op in traced.graph.get_operations() if op.type == "Conv2D"]
    # All four phases' channels, from the input itself.
    assert convolution.inputs[1].shape[3] == 12


def test_a_size_that_is_known_is_not_assumed():
    assert tf_tconv.plan([None, 8, 8, 4], [3, 3, 4, 4]).assumed == ("batch 4",)
    assert tf_tconv.plan([1, 8, 8, 4], [3, 3, 4, 4]).assumed == ()


def test_a_kernel_known_at_run_time_only_has_no_phases():
    found = tf_tconv.plan([1, 8, 8, 4], [None, 3, 4, 4], strides=2)
    assert (found.lowering, found.candidates) == ("zero_insertion", ())
    assert "run time" in found.reason


def test_by_name_and_native():
    found = tf_tconv.plan([1, 8, 8, 4], [3, 3, 4, 4], lowering="polyphase")
    assert (found.lowering, found.reason) == ("polyphase", "asked for by name")
    assert found.chosen.lowering == "polyphase"
    assert tf_tconv.plan([1, 8, 8, 4], [3, 3, 4, 4], lowering="native").chosen is None
    assert "native" not in {
        each.lowering for each in tf_tconv.plan([1, 8, 8, 4], [3, 3, 4, 4]).candidates
    }


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"backend": "tpu"}, ValueError, "backend"),
        ({"lowering": "fastest"}, ValueError, "lowering"),
        ({"strides": 0}, ValueError, "strides"),
        ({"dtype": "float32", "groups": 3}, ValueError, "groups"),
    ],
)
def test_bad_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        tf_tconv.plan([1, 8, 8, 4], [3, 3, 4, 4], **arguments)


def test_plan_tells_what_conv2d_transpose_does():
    """The operations of the graph are those of the lowering that the plan names."""
    x, w = tf.ones([1, 16, 16, 64]), tf.ones([2, 2, 8, 64])
    for computes in (backend(), "xla"):
        jit = computes == "xla"
        function = tf.function(
            lambda x, w: tf_tconv.conv2d_transpose(x, w, None, 2), jit_compile=jit, autograph=False
        )
        types = [o.type for o in function.get_concrete_function(x, w).graph.get_operations()]
        chosen = tf_tconv.plan(x.shape, w.shape, strides=2, backend=computes).lowering
        named = tf.function(
            lambda x, w, name=chosen: tf_tconv.conv2d_transpose(x, w, None, 2, lowering=name),
            autograph=False,
        )
        assert types == [o.type for o in named.get_concrete_function(x, w).graph.get_operations()]


def test_the_backend_is_known_inside_a_compiled_function():
    assert backend() in ("onednn", "plain")
    seen = []

    def note(x):
        seen.append(backend())
        return x

    tf.function(note, jit_compile=True, autograph=False).get_concrete_function(tf.ones([]))
    tf.function(note, autograph=False).get_concrete_function(tf.ones([]))
    assert seen == ["xla", backend()]


def test_gradients_are_products_under_xla_only_and_only_where_they_fit():
    one_image = load([1, 64, 64, 64], [3, 3, 32, 64], 2)
    in_groups = load([1, 64, 64, 64], [3, 3, 32, 64], 2, groups=2)
    assert gradients_by_products(one_image, "xla")[1]
    assert gradients_by_products(one_image, "onednn") == (False, False)
    assert gradients_by_products(None, "xla") == (False, False)
    assert gradients_by_products(in_groups, "xla") == (False, False)
    # 225 patches of an image that is written once.
    large = load([1, 64, 64, 1], [15, 15, 1, 1], 1)
    assert gradients_by_products(large, "xla") == (False, False)


@pytest.mark.parametrize("computes", BACKENDS)
def test_what_cannot_be_counted_has_a_lowering(computes):
    channels = {"in_channels": 4, "out_channels": 3}
    open_kernel = TransposedConvolution(axes=[_open_axis(None)] * 2, **channels)
    open_channels = TransposedConvolution(kernel_size=3, strides=2)
    assert load_of(open_kernel, 1, 4) is None
    assert load_of(open_channels, 1, 4) is None
    assert choose("auto", open_channels, None, computes, nothing) == "polyphase"
    assert choose("auto", open_kernel, None, computes, nothing) == "zero_insertion"


def nothing(load, backend):
    """What is remembered where nothing was measured."""


def _open_axis(kernel_size):
    return tf_tconv.AxisGeometry(2, kernel_size, 2, 1, None, None, None)


def test_what_is_remembered_is_chosen():
    _, call = call_of([1, 8, 8, 4], [3, 3, 4, 4], None, 2)
    for asked, chosen in (("auto", "block_matmul"), ("polyphase", "polyphase")):
        found = choose(asked, call.operation, call.load, "onednn", lambda *_: "block_matmul")
        assert found == chosen


def test_costs_are_those_of_the_machine_and_not_of_the_order():
    """Twice the images cost about twice as much, of large ones."""
    one, two = (load([n, 64, 64, 64], [4, 4, 64, 64], 2) for n in (4, 8))
    for name in BACKENDS:
        first, second = ({c.lowering: c.seconds for c in candidates(s, name)} for s in (one, two))
        for lowering in NAMES:
            assert 1.5 < second[lowering] / first[lowering] < 2.1


def test_planned_values_are_right():
    """Whatever "auto" chooses for these calls gives what zero insertion gives on integers."""
    random = np.random.default_rng(5)
    for input_shape, filters_shape, strides in CALLS.values():
        x = tf.constant(random.integers(-4, 5, input_shape).astype(np.float32))
        w = tf.constant(random.integers(-4, 5, filters_shape).astype(np.float32))
        chosen = tf_tconv.conv2d_transpose(x, w, None, strides)
        inserted = tf_tconv.conv2d_transpose(x, w, None, strides, lowering="zero_insertion")
        assert np.array_equal(chosen, inserted)
