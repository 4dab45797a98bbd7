"""`output_size` at call time: in every form, known early or late, and the shapes that follow."""

import itertools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from layer_samples import Sample, assert_exactly, ramp

import tf_tconv

SIZES = list(itertools.product((7, 8), (7, 8, 9)))
"""All that kernel 4x5 and stride 2x3 reach from 4x3 cells with "same"."""

SAMPLE = Sample(
    "decoder",
    {"filters": 2, "kernel_size": (4, 5), "strides": (2, 3), "padding": "same"},
    (2, 4, 3, 3),
)
LAYOUTS = ("channels_last", "channels_first")
layouts = pytest.mark.parametrize("data_format", LAYOUTS)


def sample_of(size, data_format="channels_last"):
    return Sample("sized", {**SAMPLE.arguments, "data_format": data_format}, (2, 4, 3, 3), size)


def image_of(sample, channels=6, batch=2):
    """Something of the sample's output size, in the sample's layout."""
    return sample.layout(np.zeros((batch, *sample.output_size, channels), np.float32))


def in_layout(shape, data_format):
    batch, height, width, channels = shape
    if data_format == "channels_first":
        return (batch, channels, height, width)
    return tuple(shape)


FORMS = {
    "tuple": lambda sample: sample.output_size,
    "list": lambda sample: list(sample.output_size),
    "numpy_pair": lambda sample: np.array(sample.output_size),
    "numpy_pair_int32": lambda sample: np.array(sample.output_size, np.int32),
    "pair_of_numpy_integers": lambda sample: tuple(np.array(sample.output_size)),
    "integer_and_numpy_integer": lambda sample: (
        sample.output_size[0],
        np.int64(sample.output_size[1]),
    ),
    "tensor": lambda sample: tf.constant(sample.output_size),
    "tensor_int64": lambda sample: tf.constant(sample.output_size, tf.int64),
    "variable": lambda sample: tf.Variable(sample.output_size),
    "pair_of_scalars": lambda sample: tuple(map(tf.constant, sample.output_size)),
    "scalar_and_integer": lambda sample: (
        tf.constant(sample.output_size[0]),
        sample.output_size[1],
    ),
    "image": image_of,
    "image_as_tensor": lambda sample: tf.constant(image_of(sample)),
    "image_of_integers": lambda sample: tf.cast(image_of(sample), tf.uint8),
    "image_of_another_batch": lambda sample: image_of(sample, batch=5),
    "image_without_channels": lambda sample: image_of(sample, channels=0),
    "keras_variable": lambda sample: keras.Variable(image_of(sample)),
}
"""What to pass so as to ask for the sample's output size."""

forms = pytest.mark.parametrize("form", list(FORMS))


@layouts
@pytest.mark.parametrize("size", SIZES)
def test_every_legal_size_is_right(size, data_format):
    sample = sample_of(size, data_format)
    assert_exactly(sample.filled()(sample.inputs(), output_size=size), sample.expected())


@layouts
@forms
def test_form_eagerly(form, data_format):
    sample = sample_of((7, 8), data_format)
    asked = FORMS[form](sample)
    assert_exactly(sample.filled()(sample.inputs(), output_size=asked), sample.expected())


@forms
def test_form_in_a_functional_model(form):
    sample = sample_of((7, 8))
    layer = sample.filled()
    inputs = keras.Input((None, None, 3))
    outputs = layer(inputs, output_size=FORMS[form](sample))
    assert outputs.shape == (None, 7, 8, 2)
    assert_exactly(keras.Model(inputs, outputs)(sample.inputs()), sample.expected())


@forms
def test_form_in_a_graph(form):
    sample = sample_of((7, 8))
    layer = sample.filled()
    asked = FORMS[form](sample)
    run = tf.function(lambda images: layer(images, output_size=asked))
    assert_exactly(run(sample.inputs()), sample.expected())


def test_size_may_be_given_by_position():
    sample = sample_of((7, 8))
    assert_exactly(sample.filled()(sample.inputs(), (7, 8)), sample.expected())


def test_none_gives_the_default_size():
    sample = sample_of(None)
    assert_exactly(sample.filled()(sample.inputs(), output_size=None), sample.expected())


def test_one_layer_may_be_asked_for_one_size_after_another():
    layer = sample_of(None).filled()
    for size in [*SIZES, None, *reversed(SIZES)]:
        sample = sample_of(size)
        assert_exactly(layer(sample.inputs(), output_size=size), sample.expected())


@layouts
def test_size_that_a_symbolic_integer_tensor_holds(data_format):
    sample = sample_of((8, 7), data_format)
    layer = sample.filled()
    inputs = keras.Input(sample.inputs().shape[1:])
    size = keras.Input(batch_shape=(2,), dtype="int32")
    outputs = layer(inputs, output_size=size)
    assert outputs.shape == in_layout((None, None, None, 2), data_format)
    model = keras.Model([inputs, size], outputs)
    given = [tf.constant(sample.inputs()), tf.constant([8, 7])]
    assert_exactly(model(given), sample.expected())


@pytest.mark.parametrize("width", [None, 7], ids=["both_symbolic", "one_symbolic"])
def test_size_that_symbolic_scalars_hold(width):
    sample = sample_of((8, 7))
    layer = sample.filled()
    inputs = keras.Input((None, None, 3))
    scalars = [keras.Input(batch_shape=(), dtype="int32") for _ in range(2 if width is None else 1)]
    outputs = layer(inputs, output_size=(scalars[0], scalars[1] if width is None else width))
    model = keras.Model([inputs, *scalars], outputs)
    given = [tf.constant(size) for size in sample.output_size][: len(scalars)]
    assert_exactly(model([tf.constant(sample.inputs()), *given]), sample.expected())


class Matching(keras.layers.Layer):
    """Asks for a size as a custom layer naturally would: by the shape of a skip connection."""

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer

    def call(self, inputs, skip):
        return self.layer(inputs, output_size=keras.ops.shape(skip)[1:3])


@pytest.mark.parametrize("known", list(itertools.product([True, False], repeat=2)), ids=str)
def test_size_may_be_the_shape_of_a_tensor(known):
    """`keras.ops.shape` has an integer where the size is known and a tensor where it is not."""
    sample = sample_of((7, 9))
    matching = Matching(sample.filled())
    partial = [size if is_known else None for size, is_known in zip((7, 9), known, strict=True)]
    signature = [tf.TensorSpec([2, 4, 3, 3]), tf.TensorSpec([2, *partial, 6])]
    run = tf.function(matching, input_signature=signature)
    assert_exactly(run(sample.inputs(), image_of(sample)), sample.expected())


def u_net() -> keras.Model:
    """Three strided convolutions down, three transposed ones up, each matching its way down."""
    image = keras.Input((None, None, 3))
    shapes = [(4, (3, 3), (2, 2)), (5, (3, 4), (2, 3)), (6, (4, 3), (3, 2))]
    levels = [image]
    for filters, kernel, strides in shapes:
        down = keras.layers.Conv2D(filters, kernel, strides=strides, padding="same")
        levels.append(down(levels[-1]))
    decoded = levels.pop()
    for filters, kernel, strides in reversed(shapes):
        up = tf_tconv.Conv2DTranspose(filters, kernel, strides=strides, padding="same")
        decoded = up(decoded, output_size=levels[-1])
        decoded = keras.layers.Concatenate()([decoded, levels.pop()])
    return keras.Model(image, decoded)


def test_u_net_keeps_every_size():
    model = u_net()
    assert model.output_shape == (None, None, None, 4 + 3)
    for size in itertools.product((11, 12, 13), (17, 18, 19)):
        image = ramp(1, *size, 3)
        assert model(image).shape == (1, *size, 7)
        assert_exactly(model(image)[..., 4:], image)


@pytest.mark.slow
def test_u_net_in_a_graph_of_unknown_sizes():
    model = u_net()
    # Each size may have another lowering, so that sums must not depend on their order.
    model.set_weights([np.round(8 * weights) for weights in model.get_weights()])
    run = tf.function(model, input_signature=[tf.TensorSpec([None, None, None, 3])])
    for size in ((11, 17), (12, 19), (13, 18)):
        image = ramp(2, *size, 3)
        assert_exactly(run(image), np.asarray(model(image)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "jit_compile",
    [pytest.param(False, id="graph"), pytest.param(True, id="xla")],
)
def test_u_net_trains_on_odd_sizes(jit_compile):
    model = keras.Sequential([u_net(), keras.layers.Conv2D(1, 1)])
    model.compile("adam", "mse", jit_compile=jit_compile)
    images = ramp(3, 13, 11, 3) / 16
    model(images[:1])
    before = model.get_weights()
    loss = float(model.train_on_batch(images, images[..., :1]))
    assert np.isfinite(loss)
    for was, now in zip(before, model.get_weights(), strict=True):
        assert not np.array_equal(was, now)


# Static shapes: as sharp as what is known allows, and true.

KNOWN = list(itertools.product([True, False], repeat=3))
KINDS = {
    "default": (None, None),
    "pair": (7, 8),
    "match_both": (7, 8),
    "match_height": (7, None),
    "match_width": (None, 8),
    "match_neither": (None, None),
}
"""What is known of height and width from the output size alone."""

static_table = pytest.mark.parametrize(
    ("known", "kind", "data_format"),
    [
        # The layouts take turns as on a chessboard, so that each meets every row and every column.
        pytest.param(
            known, kind, LAYOUTS[(row + column) % 2], id=f"{known}-{kind}".replace(" ", "")
        )
        for row, known in enumerate(KNOWN)
        for column, kind in enumerate(KINDS)
    ],
)


def sharpest(known, kind):
    """Batch, height and width of the output, `None` where it cannot be known."""
    batch, height, width = known
    if kind == "default":
        return (2 if batch else None, 8 if height else None, 9 if width else None)
    return (2 if batch else None, *KINDS[kind])


def partial_inputs(known, data_format):
    sizes = [size if is_known else None for size, is_known in zip((2, 4, 3), known, strict=True)]
    return in_layout((*sizes, 3), data_format)


def asked(kind, data_format, make):
    """What to pass for an output size; `make` turns a partial shape into a symbolic image."""
    if kind == "default":
        return None
    if kind == "pair":
        return (7, 8)
    return make(in_layout((None, *KINDS[kind], 6), data_format))


@static_table
def test_symbolic_shape_is_sharp_and_true(known, kind, data_format):
    sample = sample_of(None if kind == "default" else (7, 8), data_format)
    layer = sample.filled()
    inputs = keras.Input(batch_shape=partial_inputs(known, data_format))
    size = asked(kind, data_format, lambda shape: keras.Input(batch_shape=shape))
    outputs = layer(inputs, output_size=size)
    expected = in_layout((*sharpest(known, kind), 2), data_format)
    assert tuple(outputs.shape) == expected
    assert layer.compute_output_shape(inputs.shape, output_size=size) == expected
    symbolic = [inputs, size] if kind.startswith("match") else [inputs]
    images = [sample.inputs(), image_of(sample)] if kind.startswith("match") else [sample.inputs()]
    assert_exactly(keras.Model(symbolic, outputs)(images), sample.expected())


@pytest.mark.slow
@static_table
def test_traced_shape_is_sharp_and_true(known, kind, data_format):
    sample = sample_of(None if kind == "default" else (7, 8), data_format)
    layer = sample.filled()
    specs = [tf.TensorSpec(partial_inputs(known, data_format))]
    if kind.startswith("match"):
        specs.append(asked(kind, data_format, tf.TensorSpec))
        run = tf.function(lambda images, skip: layer(images, output_size=skip))
    else:
        size = asked(kind, data_format, tf.TensorSpec)
        run = tf.function(lambda images: layer(images, output_size=size))
    traced = run.get_concrete_function(*specs)
    expected = in_layout((*sharpest(known, kind), 2), data_format)
    assert tuple(traced.structured_outputs.shape) == expected
    images = [sample.inputs(), image_of(sample)] if kind.startswith("match") else [sample.inputs()]
    assert_exactly(traced(*map(tf.constant, images)), sample.expected())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("known", "data_format"),
    [pytest.param(known, LAYOUTS[sum(known) % 2], id=f"{known}") for known in KNOWN],
)
def test_traced_shape_where_only_the_run_knows_the_size(known, data_format):
    layer = sample_of((7, 8), data_format).filled()
    run = tf.function(
        lambda images, size: layer(images, output_size=size),
        input_signature=[
            tf.TensorSpec(partial_inputs(known, data_format)),
            tf.TensorSpec([2], tf.int32),
        ],
    )
    traced = run.get_concrete_function()
    batch = 2 if known[0] else None
    assert tuple(traced.structured_outputs.shape) == in_layout((batch, None, None, 2), data_format)
    for size in SIZES:
        sample = sample_of(size, data_format)
        assert_exactly(traced(tf.constant(sample.inputs()), tf.constant(size)), sample.expected())


@layouts
def test_traced_shape_where_there_is_but_one_size(data_format):
    """With stride 1 the input's size settles the output's, whatever the run will say."""
    arguments = {"filters": 2, "kernel_size": (4, 5), "strides": (1, 3), "data_format": data_format}
    layer = Sample("sized", arguments, (2, 4, 3, 3), (7, 12)).filled()
    unknown = [
        tf.TensorSpec(in_layout((None, 4, None, 3), data_format)),
        tf.TensorSpec([2], tf.int32),
    ]
    run = tf.function(lambda images, size: layer(images, output_size=size))
    traced = run.get_concrete_function(*unknown)
    assert tuple(traced.structured_outputs.shape) == in_layout((None, 7, None, 2), data_format)
    symbolic = layer(
        keras.Input(unknown[0].shape[1:]),
        output_size=keras.Input(in_layout((None, None, None, 6), data_format)[1:]),
    )
    assert tuple(symbolic.shape) == in_layout((None, 7, None, 2), data_format)


# Sizes that cannot be: the same sentence, early if it can be known early, else when it is run.

UNREACHABLE = {
    (6, 8): "output_size[0]=6 cannot come from 4 input rows: kernel 4, stride 2, dilation 1, "
    'padding "SAME" reach 7..8.',
    (9, 8): "output_size[0]=9 cannot come from 4 input rows: kernel 4, stride 2, dilation 1, "
    'padding "SAME" reach 7..8.',
    (7, 6): "output_size[1]=6 cannot come from 3 input columns: kernel 5, stride 3, dilation 1, "
    'padding "SAME" reach 7..9.',
    (8, 10): "output_size[1]=10 cannot come from 3 input columns: kernel 5, stride 3, dilation 1, "
    'padding "SAME" reach 7..9.',
}
unreachable = pytest.mark.parametrize(("size", "sentence"), list(UNREACHABLE.items()))


@layouts
@unreachable
@pytest.mark.parametrize("form", ["tuple", "tensor", "image"])
def test_unreachable_size_eagerly(form, size, sentence, data_format):
    sample = sample_of(size, data_format)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        sample.filled()(sample.inputs(), output_size=FORMS[form](sample))


@layouts
@unreachable
def test_unreachable_size_when_a_model_is_made(size, sentence, data_format):
    sample = sample_of(size, data_format)
    layer = sample.layer()
    inputs = keras.Input(sample.inputs().shape[1:])
    for asked_for in (size, keras.Input(image_of(sample).shape[1:])):
        with pytest.raises(ValueError, match=re.escape(sentence)):
            layer(inputs, output_size=asked_for)
        with pytest.raises(ValueError, match=re.escape(sentence)):
            layer.compute_output_shape(inputs.shape, output_size=asked_for)


@layouts
@unreachable
def test_unreachable_size_when_a_graph_is_traced(size, sentence, data_format):
    sample = sample_of(size, data_format)
    layer = sample.filled()
    run = tf.function(lambda images, skip: layer(images, output_size=skip))
    with pytest.raises(ValueError, match=re.escape(sentence)):
        run.get_concrete_function(
            tf.TensorSpec(sample.inputs().shape), tf.TensorSpec(image_of(sample).shape)
        )


@layouts
@pytest.mark.parametrize("form", ["tensor", "image"])
def test_unreachable_size_when_a_graph_is_run(form, data_format):
    layer = sample_of(None, data_format).filled()
    unknown = tf.TensorSpec(in_layout((None, None, None, 3), data_format))
    size_spec = tf.TensorSpec([2], tf.int32)
    if form == "image":
        size_spec = tf.TensorSpec(in_layout((None, None, None, 6), data_format))
    run = tf.function(
        lambda images, size: layer(images, output_size=size), input_signature=[unknown, size_spec]
    )
    for size, sentence in UNREACHABLE.items():
        wrong, right = sample_of(size, data_format), sample_of((7, 8), data_format)
        with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(sentence)):
            run(wrong.inputs(), FORMS[form](wrong))
        # A call that failed leaves nothing behind.
        assert_exactly(run(right.inputs(), FORMS[form](right)), right.expected())


@unreachable
def test_unreachable_size_in_a_model_of_unknown_sizes(size, sentence):
    """Nothing can be said when the model is made, and the same is said when it is fed."""
    inputs, skip = keras.Input((None, None, 3)), keras.Input((None, None, 6))
    layer = sample_of(None).layer()
    model = keras.Model([inputs, skip], layer(inputs, output_size=skip))
    wrong, right = sample_of(size), sample_of((8, 7))
    assert model([right.inputs(), image_of(right)]).shape == (2, 8, 7, 2)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=re.escape(sentence)):
        model([wrong.inputs(), image_of(wrong)])
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=re.escape(sentence)):
        model.predict([wrong.inputs(), image_of(wrong)], verbose=0)
