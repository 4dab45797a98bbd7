"""What the explorer page computes, against the library, in a real browser."""

import itertools
import json

import numpy as np
import pytest

import tf_tconv
from tf_tconv import checkerboard, dialects
from tf_tconv.explain import CellKind
from tf_tconv.geometry import AskedAxis

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PADDINGS = ("SAME", "VALID", (1, 0), (0, 2), (3, 1), (6, 6))
SETTINGS = [
    (*sizes, padding, size)
    for *sizes, padding in itertools.product(
        range(1, 9), range(1, 8), range(1, 6), range(1, 4), PADDINGS
    )
    for size in (*tf_tconv.legal_output_sizes(*sizes, padding), None)
    if tf_tconv.legal_output_sizes(*sizes, padding)
]
"""All that the sliders reach, with some explicit paddings: input, kernel, stride, dilation, ..."""

SMALL = [setting for setting in SETTINGS if setting[0] <= 3 and setting[-1] is not None]


def ask(browser, body, *arguments):
    """What a piece of JavaScript returns, given values that go there as JSON."""
    text = f"const [{', '.join('abcdef'[: len(arguments)])}] = JSON.parse(arguments[0]); {body}"
    return json.loads(browser.execute_script(text, json.dumps(arguments)))


def as_settings(tuples):
    """Settings as the page has them."""
    names = ("input", "kernel", "stride", "dilation", "padding", "size")
    return [dict(zip(names, values, strict=True)) for values in tuples]


def geometry(setting):
    *sizes, padding, output_size = setting
    return tf_tconv.transpose_geometry(*sizes, padding, output_size)


def test_the_rule(explorer):
    found = ask(
        explorer(),
        "return JSON.stringify(a.map(solveAxis).map("
        "x => [x.output, x.padBefore, x.padAfter, x.lead, x.trail, x.reach, x.surplus]))",
        as_settings(SETTINGS),
    )
    assert len(found) == len(SETTINGS) >= 5000
    for setting, got in zip(SETTINGS, found, strict=True):
        axis = geometry(setting)
        wanted = [axis.output_size, axis.pad_before, axis.pad_after, axis.lead, axis.trail]
        assert got == [*wanted, axis.effective_kernel, axis.surplus], setting


def test_nearest_padding(explorer):
    asked = [setting for setting in SETTINGS[::7] if setting[-1] is None]
    pairs = [(setting, size) for setting in asked for size in (1, 4, 9, 17, 30)]
    found = ask(
        explorer(),
        "return JSON.stringify(a.map((setting, n) => nearestPadding(setting, b[n])))",
        as_settings([setting for setting, _ in pairs]),
        [size for _, size in pairs],
    )
    assert len(pairs) > 1000
    for (setting, size), sides in zip(pairs, found, strict=True):
        i, k, s, d, padding, _ = setting
        wanted = AskedAxis(k, s, d, padding, i, size).nearest()
        assert sides == (None if wanted is None else list(wanted)), (setting, size)


def test_legal_sizes(explorer):
    asked = [(*setting[:-1], None) for setting in SETTINGS if setting[-1] is None]
    found = ask(explorer(), "return JSON.stringify(a.map(legalSizes))", as_settings(asked))
    for setting, got in zip(asked, found, strict=True):
        assert got == list(tf_tconv.legal_output_sizes(*setting[:-1])), setting


def test_contributions_and_overlap(explorer):
    found = ask(
        explorer(),
        "return JSON.stringify(a.map(solveAxis).map(x => [Array.from({length: x.output}, "
        "(_, t) => contributions(x, t)), overlapCounts(x)]))",
        as_settings(SMALL),
    )
    for setting, (pairs, counts) in zip(SMALL, found, strict=True):
        axis = geometry(setting)
        cells = range(axis.output_size)
        assert pairs == [[list(pair) for pair in axis.contributions(t)] for t in cells], setting
        assert counts == checkerboard.overlap_counts(*setting).tolist(), setting


def test_evenness(explorer):
    asked = [(4, *axis, "VALID", None) for axis in itertools.product(*map(range, (8, 6, 4)))]
    asked = [setting for setting in asked if all(setting[1:4])]
    found = ask(
        explorer(),
        "return JSON.stringify(a.map(solveAxis).map(x => [evenness(x), evenKernelSizes(x)]))",
        as_settings(asked),
    )
    for setting, (score, even) in zip(asked, found, strict=True):
        assert score == checkerboard.evenness(*setting[1:4]), setting
        assert even == list(checkerboard.even_kernel_sizes(*setting[1:4])), setting


def planes():
    """Pairs of axes with one mode of padding: every setting is in one of each kind."""
    named = {name: [s for s in SMALL if s[4] == name] for name in ("SAME", "VALID")}
    explicit = [s for s in SMALL if isinstance(s[4], tuple)]
    for group in (*named.values(), explicit):
        yield from ((s, s) for s in group)
        # The second axis walks through the same settings in another order.
        yield from ((s, group[(7 * at + 3) % len(group)]) for at, s in enumerate(group))


PLANES = [pair for pair in planes() if all(geometry(setting).output_size for setting in pair)]


def operation(pair):
    axes = [geometry(setting) for setting in pair]
    return dialects.TransposedConvolution(
        kernel_size=tuple(axis.kernel_size for axis in axes),
        strides=tuple(axis.stride for axis in axes),
        dilations=tuple(axis.dilation for axis in axes),
        crops=tuple((axis.pad_before, axis.effective_kernel - 1 - axis.trail) for axis in axes),
        input_size=tuple(axis.input_size for axis in axes),
    )


def keras_call(wanted):
    """The text, and whether Keras' own layer says it alone."""
    try:
        translation = dialects.keras.to_arguments(wanted)
    except ValueError:
        return dialects.keras.to_arguments(wanted, layer="tf_tconv").text, False
    return translation.text, translation.exact


@pytest.mark.parametrize("dialect", ["tf.nn", "tf_tconv", "Keras", "torch", "ONNX", "JAX"])
def test_calls(explorer, dialect):
    found = ask(
        explorer(),
        "return JSON.stringify(a.map(pair => translate(b, pair.map(solveAxis))))",
        [as_settings(pair) for pair in PLANES],
        dialect,
    )
    assert len(found) == len(PLANES) >= 5000
    for pair, got in zip(PLANES, found, strict=True):
        wanted = operation(pair)
        if dialect == "Keras":
            text, exact = keras_call(wanted)
        else:
            name = {"tf.nn": "tf_nn", "tf_tconv": "tf_nn"}.get(dialect, dialect.lower())
            kernel = {"transpose_kernel": True} if name == "jax" else {}
            translation = getattr(dialects, name).to_arguments(wanted, **kernel)
            text, exact = translation.text, translation.exact
        if dialect == "tf_tconv":
            text = text.replace("tf.nn.", "tf_tconv.")
            assert not got["warnings"]
        assert got["code"] == text, pair
        assert exact or got["warnings"], pair


def traced(height, width, kernel, stride, dilation, padding):
    first = 2 - (kernel[0] // 2 * kernel[1] + kernel[1] // 2)
    filters = np.arange(first, first + kernel[0] * kernel[1], dtype=float)
    x = np.arange(1.0, 1 + height * width).reshape(1, height, width, 1)
    weights = filters.reshape(*kernel, 1, 1)
    return tf_tconv.trace(x, weights, None, stride, padding, dilations=dilation)


@pytest.mark.parametrize(
    ("fragment", "call"),
    [
        ("", (3, 3, (3, 3), 2, 1, "SAME")),
        ("#i=4,3&k=2,5&s=3,2&d=1,2&p=valid", (4, 3, (2, 5), (3, 2), (1, 2), "VALID")),
        (
            "#i=4&k=3,2&s=2&d=1&p=1,3,4,0",
            (4, 4, (3, 2), 2, 1, [[0, 0], [1, 3], [4, 0], [0, 0]]),
        ),
        ("#i=2&k=1&s=3", (2, 2, (1, 1), 3, 1, "SAME")),
    ],
)
def test_pictures_hold_the_numbers_of_trace(explorer, fragment, call):
    steps = traced(*call)
    script = """
        return view.grids.map(grid => grid.shapes.map(row => row
          .filter(shape => !shape.matches('.cropped'))
          .map(shape => Number(shape.textContent.replace('−', '-')))).filter(row => row.length));
    """
    padded, kernel, output = explorer(fragment).execute_script(script)
    assert padded == steps.padded[0, ..., 0].tolist()
    assert kernel == steps.kernel[..., 0, 0].tolist()
    assert output == steps.output[0, ..., 0].tolist()
    kinds = explorer(fragment).execute_script(
        "return view.grids[0].shapes.flat().map(s => s.classList[1]).filter(k => k !== 'cropped')"
    )
    assert kinds == [CellKind(kind).name.lower() for kind in steps.kinds.flat]


def test_the_two_inner_products_are_equal(explorer):
    script = """
        return [1, 2, 3].every(s => {
          const axis = solveAxis({input: 4, kernel: 3, stride: s, dilation: 2, padding: "SAME"});
          const plane = computePlane([axis, axis]);
          return inner(plane.forward, plane.input) === inner(plane.image, plane.output);
        });
    """
    assert explorer().execute_script(script)
