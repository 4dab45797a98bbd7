"""What `trace` records of a call, against the oracle; and that what it draws can be seen."""

import re
import sys
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
import tensorflow as tf
from integers import ramp
from PIL import Image

import tf_tconv
from compat_tests import oracle
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import FAMILIES, select, spread
from compat_tests.subjects.calling import keyword_arguments, to_layout
from tf_tconv.explain import VIEWS, CellKind
from tf_tconv.explain.scene import DARK, LIGHT, Label

# Layers of models are large, and differ from other families in their sizes only.
SAMPLE = {name: spread(select([name]), 6 if name == "models" else 40) for name in FAMILIES}
SVG = "{http://www.w3.org/2000/svg}"


def traced(case):
    """The trace of a case, and its numbers: input and filters, channels last."""
    inputs = make_inputs(case)
    x = tf.cast(to_layout(inputs.x, case.data_format), case.dtype)
    w = tf.cast(inputs.w, case.dtype)
    return tf_tconv.trace(x, w, **keyword_arguments(case)), inputs.x, inputs.w


def truth(case, x, w):
    return oracle.conv2d_transpose(
        x, w, case.output_size, case.strides, case.padding, case.dilations, case.groups
    )


def channels_last(array, case):
    return np.moveaxis(array, 1, 3) if case.data_format == "NCHW" else array


def slide(padded, kernel, groups):
    """Stride-1 windows of `padded`, `[n, h, w, in]`, times `kernel`, `[h, w, out/groups, in]`."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    parts = [
        np.einsum("nyxcab,aboc->nyxo", *pair)
        for pair in zip(np.split(windows, groups, 3), np.split(kernel, groups, 3), strict=True)
    ]
    return np.concatenate(parts, axis=3)


def classic(**changes):
    """The input 1 to 9 through a kernel that counts up, with 2 in the centre."""
    arguments = {"output_shape": [1, 6, 6, 1], "strides": 2, **changes}
    x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    w = np.arange(-2.0, 7.0).reshape(3, 3, 1, 1)
    return tf_tconv.trace(x, w, **arguments)


def several():
    """Two examples, four channels to six in two groups, unequal axes."""
    x, w = ramp(2, 3, 2, 4), ramp(2, 3, 3, 4, seed=1)
    return tf_tconv.trace(x, w, None, [2, 3], "VALID", groups=2), x, w


# Numbers.


@pytest.mark.parametrize("family", FAMILIES)
def test_every_intermediate_leads_to_the_oracles_output(family):
    for case in SAMPLE[family]:
        steps, x, w = traced(case)
        wanted = truth(case, x, w)
        output = channels_last(steps.output, case)
        assert output.shape == wanted.shape, case.id
        assert np.array_equal(output.astype(np.float64), wanted), case.id
        # The padded input under the reversed kernel: no definition of transposed convolution.
        padded = channels_last(steps.padded, case).astype(np.int64)
        kernel = steps.kernel.astype(np.int64)
        if wanted.size:
            assert np.array_equal(slide(padded, kernel, case.groups), wanted), case.id
        dilated = channels_last(steps.dilated, case)
        assert np.array_equal(dilated[:, :: case.strides[0], :: case.strides[1]], x), case.id
        assert np.count_nonzero(dilated) == np.count_nonzero(x), case.id


@pytest.mark.parametrize("family", FAMILIES)
def test_windows_and_planes_add_up_to_the_oracles_output(family):
    for case in SAMPLE[family][::2]:
        steps, x, w = traced(case)
        wanted = truth(case, x, w)
        if not wanted.size or not x.size:
            continue
        example, channel = case.batch - 1, case.out_channels - 1
        shown = steps.select(example, channel)
        shares = [shown.select(example, channel, index).plane.output for index in shown.channels]
        assert np.array_equal(sum(shares), wanted[example, ..., channel]), case.id
        height, width = case.output_size
        for cell in {(0, 0), (height // 2, width // 2), (height - 1, width - 1)}:
            window = shown.window(cell)
            assert window.sum == wanted[(example, *cell, channel)], (case.id, cell)
            assert sum(term.product for term in window.terms) == window.sum
            for term in window.terms:
                assert term.x == x[(example, *term.input_cell, term.channel)]
                assert term.w == w[(*term.tap, channel % w.shape[2], term.channel)]


@pytest.mark.parametrize("family", ["axis", "explicit", "plane", "edge"])
def test_kinds_tell_inputs_from_each_kind_of_zero(family):
    for case in SAMPLE[family]:
        steps, _, _ = traced(case)
        kinds = steps.kinds
        padded = channels_last(steps.padded, case)
        assert kinds.shape == padded.shape[1:3], case.id
        assert not padded[:, kinds != CellKind.VALUE].any(), case.id
        per_axis = [line_kinds(case, axis, size) for axis, size in enumerate(kinds.shape)]
        for place in np.ndindex(*kinds.shape):
            assert kinds[place] == max(per_axis[0][place[0]], per_axis[1][place[1]]), case.id
        inside = [sum(kind == CellKind.VALUE for kind in line) for line in per_axis]
        assert np.count_nonzero(kinds == CellKind.VALUE) == inside[0] * inside[1]


def line_kinds(case, axis, size):
    """The kinds along one axis, from where the oracle lands the inputs."""
    i, o, k, s, d = (
        pair[axis]
        for pair in (case.input, case.output_size, case.kernel, case.strides, case.dilations)
    )
    before, _ = case.pads(axis)
    lead = (k - 1) * d - before
    found = []
    for cell in range(size):
        if cell < lead:
            found.append(CellKind.LEAD)
        elif cell > lead + (i - 1) * s:
            found.append(CellKind.TRAIL)
        else:
            found.append(CellKind.INSERTED if (cell - lead) % s else CellKind.VALUE)
    for tap in range(k):
        for j, t in zip(*oracle.landing(i, o, tap, s, d, before), strict=True):
            assert cell_of(t, tap, k, d) == lead + j * s
    return found


def cell_of(output_cell, tap, kernel_size, dilation):
    """Where the reversed kernel's tap lies when its window stands behind an output cell."""
    return output_cell + (kernel_size - 1 - tap) * dilation


def test_the_classic_example():
    steps = classic()
    assert (steps.geometry.rows.lead, steps.geometry.rows.trail) == (2, 1)
    assert steps.padded.shape == (1, 8, 8, 1)
    assert steps.kinds[0].tolist() == [CellKind.LEAD] * 8
    assert steps.kinds[7].tolist() == [CellKind.LEAD] * 2 + [CellKind.TRAIL] * 6
    v, z, t = CellKind.VALUE, CellKind.INSERTED, CellKind.TRAIL
    assert steps.kinds[2].tolist() == [CellKind.LEAD] * 2 + [v, z, v, z, v, t]
    window = steps.window((5, 5))
    assert window.values[..., 0].tolist() == [[0, 0, 0], [0, 9, 0], [0, 0, 0]]
    assert window.kernel[..., 0].tolist() == [[6, 5, 4], [3, 2, 1], [0, -1, -2]]
    assert window.kinds.tolist() == [[z, z, t], [z, v, t], [t, t, t]]
    assert window.terms == (((2, 2), (1, 1), 0, 9.0, 2.0, 18.0),)
    assert steps.output[0, 5, 5, 0] == window.sum == 18


def test_a_negative_lead_crops_the_input():
    steps = classic(output_shape=None, padding=[[0, 0], [4, 0], [0, 0], [0, 0]])
    assert steps.geometry.rows.lead == -2
    assert steps.padded[0, :, 2:7, 0].tolist() == [
        [4, 0, 5, 0, 6],
        [0, 0, 0, 0, 0],
        [7, 0, 8, 0, 9],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_a_dilated_kernel_has_gaps():
    steps = classic(output_shape=None, dilations=[1, 2])
    assert steps.kernel[..., 0, 0].tolist() == [
        [6, 0, 5, 0, 4],
        [3, 0, 2, 0, 1],
        [0, 0, -1, 0, -2],
    ]
    assert steps.window((0, 0)).kernel.shape == (3, 3, 1)


def test_windows_answer_where_the_arrays_would_be_too_large():
    steps = tf_tconv.trace(ramp(1, 2, 2, 1), ramp(2, 2, 1, 1), None, 1, dilations=2**30)
    with pytest.raises(ValueError, match=r"kernel would have 1073741825 x .* window of one"):
        _ = steps.kernel
    with pytest.raises(ValueError, match=r"padded would have 1 x 1073741826 x"):
        _ = steps.padded
    assert steps.window((1, 1)).sum == steps.output[0, 1, 1, 0]


def test_layouts_and_dtypes_are_those_of_the_call():
    x, w = ramp(2, 4, 3, 2), ramp(3, 2, 5, 4, seed=1)
    steps = tf_tconv.trace(
        tf.cast(x, tf.bfloat16), tf.cast(w, tf.bfloat16), None, 2, "SAME", "NCHW"
    )
    assert steps.output.shape == (2, 5, 6, 4)
    assert steps.padded.shape == (2, 4, 6 + 2, 4 + 1)
    assert steps.dilated.shape == (2, 4, 5, 3)
    assert {a.dtype.name for a in (steps.output, steps.padded, steps.dilated, steps.kernel)} == {
        "bfloat16"
    }
    assert steps.plane.output.dtype == np.float64


def test_select_chooses_among_examples_and_channels():
    steps, x, w = several()
    other = steps.select(batch=1, out_channel=4, in_channel=3)
    assert (steps.batch, steps.in_channel, steps.out_channel) == (0, 0, 0)
    assert list(other.channels) == [2, 3]
    assert np.array_equal(other.plane.input, x[1, ..., 3])
    assert np.array_equal(other.plane.filter, w[:, :, 1, 3])
    assert other.plane.is_share
    assert "channel 3 to 4: one of 2 shares that add up to output channel 4" in other.text()
    assert "share of the output" in other.text()
    assert other.window((2, 1)).sum == steps.output[1, 2, 1, 4]
    assert "channel 2 meets" in other.text(cell=(2, 1))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"batch": 2}, ValueError, r"batch=2 is out of range; .* from 0 to 1"),
        ({"out_channel": 6}, ValueError, r"out_channel=6 is out of range; .* from 0 to 5"),
        ({"in_channel": 2}, ValueError, r"in_channel=2 is out of range; .* from 0 to 1"),
        ({"batch": 1.0}, TypeError, r"batch=1.0 is a float"),
    ],
)
def test_select_refuses_what_is_not_there(arguments, error, message):
    with pytest.raises(error, match=message):
        several()[0].select(**arguments)


@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        ((6, 0), ValueError, r"cell\[0\]=6 is out of range; .* from 0 to 5"),
        ((0, -1), ValueError, r"cell\[1\]=-1 is out of range; .* from 0 to 5"),
        ((0, 1.0), TypeError, r"cell\[1\]=1.0 is a float"),
        (3, TypeError, r"cell=3 must be a pair"),
    ],
)
def test_window_refuses_cells_that_are_not_there(cell, error, message):
    with pytest.raises(error, match=message):
        classic().window(cell)


def test_errors_of_the_call_are_those_of_the_function():
    with pytest.raises(ValueError, match=r"output_shape\[1\]=9 cannot come from 3 input rows"):
        classic(output_shape=[1, 9, 6, 1])


def test_a_graph_has_no_values_to_trace():
    with pytest.raises(TypeError, match="input has no values while a graph is traced"):
        tf.function(classic, autograph=False)()


# Text.


def test_text_marks_each_kind_of_zero_and_the_window():
    lines = classic().text(cell=(5, 5)).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("padded input"))
    assert lines[start + 1 : start + 9] == [
        "  <  <  <  <  <  <  <  <",
        "  <  <  <  <  <  <  <  <",
        "  <  <  1  .  2  .  3  >",
        "  <  <  .  .  .  .  .  >",
        "  <  <  4  .  5  .  6  >",
        "  <  <  .  .  . [.][.][>]",
        "  <  <  7  .  8 [.][9][>]",
        "  <  <  >  >  > [>][>][>]",
    ]
    assert lines[-2:] == ["input[2, 2] meets tap [1, 1]: 2*9 = 18", "output[5, 5] = 2*9 = 18"]
    assert "zeros: 1 between inputs, 2 before them (lead), 1 after (trail)" in lines[3]


@pytest.mark.parametrize("view", VIEWS)
def test_text_of_every_view_shows_every_output(view):
    text = classic().text(view, (2, 2))
    assert text.isascii()
    assert text.endswith("output[2, 2] = 6*1 + 4*2 + 0*4 + (-2)*5 = 4")
    if view == "scatter":  # The dropped ones too, in brackets.
        assert "(28)  (35)  (74)  (40)  (84)  (45)  (54)" in text
    else:
        assert "7  14  29  16  33  18" in text
    assert max(map(len, text.splitlines())) <= 100


def test_text_of_phases_names_holes():
    text = tf_tconv.trace(ramp(1, 2, 2, 1), ramp(1, 2, 1, 1), None, 2).text("phases", (1, 0))
    assert "phase c: output[1::2, 0::2], no taps: holes that stay zero" in text
    assert "no input meets a tap: a hole" in text


def test_printing_never_fails():
    large = tf_tconv.trace(ramp(1, 50, 50, 1), ramp(3, 3, 1, 1), None, 2)
    assert "52 x 52" not in str(large)
    assert re.search(
        r"padded input of 102 x 102 cells is too large to read; .*\[:, :3, :3", str(large)
    )
    empty = tf_tconv.trace(ramp(0, 3, 3, 1), ramp(3, 3, 1, 1), None, 2)
    assert "the batch of input is empty" in str(empty)
    nothing = tf_tconv.trace(ramp(1, 0, 3, 1), ramp(3, 3, 1, 1), None, 2)
    assert "output, 0 x 6" in str(nothing)
    assert str(classic()) == repr(classic()) == classic().text()


def test_long_sums_are_cut_short():
    text = tf_tconv.trace(ramp(1, 2, 2, 90), ramp(2, 2, 1, 90), None, 1).text(cell=(0, 0))
    assert "and 66 products more: trace.window((0, 0))" in text
    assert " + ... + " in text.splitlines()[-1]


# Pictures.


def words(picture, cell):
    """Everything that a picture says."""
    return [item.text for item in (*picture.base, *picture.still(cell)) if isinstance(item, Label)]


def test_a_reader_may_have_asked_for_a_layout():
    with matplotlib.rc_context({"figure.constrained_layout.use": True}):
        classic().figure().canvas.draw()  # warnings are errors


@pytest.mark.parametrize("view", VIEWS)
def test_figure_is_drawn_to_its_edges(view, tmp_path):
    figure = classic().figure(view, (5, 5))
    path = tmp_path / "figure.png"
    figure.savefig(path)
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    colours = {tuple(colour) for colour in pixels[::3, ::3].reshape(-1, 3)}
    assert len(colours) > 20
    paper = np.array([int(LIGHT["paper"].fill[start : start + 2], 16) for start in (1, 3, 5)])
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge == paper).all()  # Nothing is cut off, and the paper is opaque.
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "output[5, 5] = 2 × 9 = 18" in texts


@pytest.mark.parametrize("view", VIEWS)
def test_letters_stay_inside_the_figure(view):
    figure = classic().figure(view, (2, 2))
    figure.canvas.draw()
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert box.x0 >= 0, text.get_text()
        assert box.x1 <= figure.bbox.x1, text.get_text()


@pytest.mark.parametrize(("view", "frames"), [("scatter", 9), ("phases", 4)])
def test_gif_has_a_frame_a_step(view, frames, tmp_path):
    path = tmp_path / "film.gif"
    classic().save(path, view)
    with Image.open(path) as film:
        assert (film.format, film.n_frames, film.info["loop"]) == ("GIF", frames, 0)
        seen = []
        for index in range(frames):
            film.seek(index)
            seen.append(film.convert("RGB").tobytes())
    assert len(set(seen)) == frames


def test_gif_of_one_cell_stands_still(tmp_path):
    path = tmp_path / "still.gif"
    classic().save(path, cell=(5, 5))
    with Image.open(path) as film:
        assert film.n_frames == 1


@pytest.mark.parametrize(
    ("view", "frames"), [("zero_insertion", 36), ("scatter", 9), ("phases", 4)]
)
def test_svg_film_is_one_document_whose_frames_change_places(view, frames, tmp_path):
    path = tmp_path / "film.svg"
    classic().save(path, view)
    root = ET.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    style = root.find(f"{SVG}style").text
    groups = root.findall(f"{SVG}g")
    spans = dict(re.findall(r"@keyframes (t\d+)\{(.*?)\}\.tc \.\1\{animation-name", style))
    assert {group.get("class").split()[1] for group in groups} == set(spans)
    said = [g for g in groups if any(t.get("class") == "i-paper s b" for t in g.iter(f"{SVG}text"))]
    assert len(said) == frames  # One sentence below the picture a frame.
    starts = sorted(float(s) for g in said for s in first_visible(spans[g.get("class").split()[1]]))
    assert starts == pytest.approx([100 * index / frames for index in range(frames)], abs=1e-4)
    assert "prefers-color-scheme:dark" in style
    assert "prefers-reduced-motion" in style


def first_visible(rules):
    """When a group appears, in percent of the film."""
    return re.findall(r"([\d.]+)%\{visibility:visible\}", rules)[:1]


@pytest.mark.parametrize("view", VIEWS)
def test_svg_still_says_what_the_figure_says(view):
    steps = classic()
    root = ET.fromstring(steps.svg(view, (2, 2)))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    figure = [text.get_text() for text in steps.figure(view, (2, 2)).axes[0].texts]
    assert sorted(filter(None, texts)) == sorted(filter(None, figure))
    assert "output[2, 2] = 6 × 1 + 4 × 2 + 0 × 4 + (-2) × 5 = 4" in texts
    assert root.find(f"{SVG}title").text in figure


def test_pictures_of_a_share_say_so():
    steps, _, _ = several()
    root = ET.fromstring(steps.select(1, 4).svg(cell=(1, 1)))
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert any(text.startswith("share of output[1, 1] = ") for text in texts)
    assert "example 1, channel 2 to 4: one of 2 shares that add up to output channel 4" in texts


def test_a_notebook_gets_a_picture_or_else_the_text():
    assert ET.fromstring(classic()._repr_svg_()).tag == f"{SVG}svg"
    assert tf_tconv.trace(ramp(1, 50, 50, 1), ramp(3, 3, 1, 1), None, 2)._repr_svg_() is None


@pytest.mark.parametrize("family", ["axis", "explicit", "plane", "channels", "edge"])
def test_every_legal_call_small_enough_is_drawn(family):
    drawn = 0
    for case in SAMPLE[family][::6]:
        steps, x, _ = traced(case)
        cells = case.output_size[0] * case.output_size[1]
        for view in VIEWS:
            if not x.size or not steps.output.size:
                with pytest.raises(ValueError, match=r"nothing to draw|batch of input is empty"):
                    steps.svg(view)
            elif max(*steps.kinds.shape, cells) <= 40:
                last = tuple(size - 1 for size in case.output_size)
                assert ET.fromstring(steps.svg(view, last)).tag == f"{SVG}svg"
                assert ET.fromstring(steps.svg(view)).tag == f"{SVG}svg"
                drawn += 1
    assert drawn > 3


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_letters_stand_out(palette):
    """At least 4.5 to 1, as the web's accessibility guidelines ask of text."""
    for role in set(palette) - {"accent", "line", "ink"}:
        assert contrast(palette[role].fill, palette[role].ink) >= 4.5, role
        assert contrast(palette["accent"].fill, palette[role].fill) >= 3, role
    assert contrast(palette["paper"].fill, palette["faint"].ink) >= 4.5
    assert set(LIGHT) == set(DARK)


def contrast(one, other):
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour):
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("view", VIEWS)
def test_pictures_too_large_to_read_are_refused(view):
    steps = tf_tconv.trace(ramp(1, 30, 30, 1), ramp(3, 3, 1, 1), None, 2)
    message = r"of 6\d x 6\d cells is too large to read; at most 40 x 40 .*trace\.window\(\(row"
    with pytest.raises(ValueError, match=message):
        steps.figure(view)
    assert steps.window((59, 59)).sum == steps.output[0, 59, 59, 0]


def test_films_too_long_to_watch_are_refused():
    steps = tf_tconv.trace(ramp(1, 18, 18, 1), ramp(1, 1, 1, 1), None, 1)
    with pytest.raises(ValueError, match=r"a film of 324 frames .*; at most 300 .*cell=\(0, 0\)"):
        steps.svg()
    assert "output[0, 0]" in steps.svg(cell=(0, 0))


def test_unknown_views_and_endings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'view="phase" is unknown; .* Did you mean "phases"'):
        classic().figure("phase")
    with pytest.raises(ValueError, match=r'ending of path="\.bmp" is unknown; .*"\.svg", "\.gif"'):
        classic().save(tmp_path / "x.bmp")


@pytest.mark.parametrize(
    ("module", "ending", "message"),
    [
        (
            "matplotlib.figure",
            "png",
            r"figures need matplotlib: pip install \"tf-tconv\[explain\]\"",
        ),
        (
            "matplotlib.figure",
            "gif",
            r"figures need matplotlib: pip install \"tf-tconv\[explain\]\"",
        ),
        ("PIL", "gif", r"a GIF needs Pillow: pip install \"tf-tconv\[explain\]\""),
    ],
)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(
    module, ending, message, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=message):
        classic().save(tmp_path / f"x.{ending}")
    classic().save(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").stat().st_size > 10_000


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e9])
def test_numbers_fit_into_their_cells(scale):
    x = np.random.default_rng(5).normal(size=(1, 3, 3, 1)) * scale
    figure = tf_tconv.trace(x, x.reshape(3, 3, 1, 1), None, 2).figure()
    figure.canvas.draw()
    axes = figure.axes[0]
    cells = [patch.get_window_extent() for patch in axes.patches if patch.get_width() == 1]
    inside = 0
    for text in axes.texts:
        letters = text.get_window_extent()
        x, y = (letters.x0 + letters.x1) / 2, (letters.y0 + letters.y1) / 2
        around = [cell for cell in cells if cell.x0 < x < cell.x1 and cell.y0 < y < cell.y1]
        for cell in around:
            assert letters.width <= cell.width, text.get_text()
            inside += 1
    assert inside >= 64 + 9 + 36


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((2,), {}), ((), {"groups": 2}), (("up",), {"groups": 2}), ((None,), {"groups": 2})],
)
def test_a_name_stands_where_the_function_has_it_and_groups_stood(arguments, named):
    x, w = ramp(1, 2, 2, 4), ramp(2, 2, 3, 4)
    steps = tf_tconv.trace(x, w, None, 1, "VALID", "NHWC", None, *arguments, **named)
    assert (steps.groups, steps.output.shape) == (2, (1, 3, 3, 6))


def test_a_name_that_is_none():
    with pytest.raises(TypeError, match="name=2 is an int; it must be a string"):
        tf_tconv.trace(ramp(1, 2, 2, 4), ramp(2, 2, 3, 4), None, 1, name=2, groups=2)
