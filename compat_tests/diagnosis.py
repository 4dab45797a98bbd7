"""What an implementation did instead, inferred from its wrong numbers.

Every hypothesis is computed, by the definition with one setting changed, and has to give the very
numbers that were found. Where too few numbers are left to tell faults apart, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from compat_tests import fault_models
from compat_tests.cases.case import Case, Part
from compat_tests.cases.inputs import PRECISION_BITS, Inputs, round_to_bits
from compat_tests.fault_models import FaultModels, Formula, formula_of
from compat_tests.oracle import Array, Pair

MANY_PRODUCTS = 10**6
"""Cases above this are compared with what is at hand, and nothing is computed again."""

FEW_NUMBERS = 3
"""A hypothesis has to explain at least so many wrong numbers."""

IMAGE_REACH, FILTERS_REACH = 4, 2
"""How far a shift is looked for; the search among taps costs the square of it."""

SMALLEST, LARGEST = 2.0**-64, 2.0**32
"""Inputs are integers with sums below 2**31, or normally distributed: results lie far between."""

COARSER_TYPES = ((8, "bfloat16"), (11, "half precision"), (24, "single precision"))
"""Bits of the significand and names of types that a wider one may have been computed in."""


def diagnose(case: Case, inputs: Inputs, part: Part, found: Array, right: Array) -> str:
    """Names the fault behind a wrong array, where that can be told.

    Args:
        case: what was called.
        inputs: what it was called on.
        part: which array of the answer it is.
        found: what was returned.
        right: what should have been.

    Returns:
        A few words, such as "shifted by (1, 1)"; empty if no known fault explains the numbers.
    """
    if np.array_equal(found, right):
        return ""
    evidence = _Evidence(case, inputs, part, found, right)
    checks = _OF_SHAPES
    if found.shape == right.shape:
        telling = np.count_nonzero(found != right) >= FEW_NUMBERS
        checks = _OF_FEW_VALUES + (_OF_VALUES if telling else ())
    with np.errstate(all="ignore"):  # wrong numbers may be anything
        return next((told for check in checks if (told := check(evidence))), "")


@dataclass(frozen=True)
class _Evidence:
    """What there is to go by: the arguments of `diagnose`."""

    case: Case
    inputs: Inputs
    part: Part
    found: Array
    right: Array

    @property
    def axes(self) -> Pair:
        """Where height and width are in the array."""
        return (0, 1) if self.part in ("dw", "ddw") else (1, 2)

    @property
    def cheap(self) -> bool:
        """Whether the definition may be computed again, dozens of times."""
        return max(self.case.products, self.found.size) <= MANY_PRODUCTS

    @cached_property
    def roundoff(self) -> float:
        """What rounding may do to an array, relative to its largest number."""
        bits = PRECISION_BITS[self.case.dtype]
        return 2.0**-bits + _terms(self.case, self.part) * 2.0 ** -max(bits, 24)

    @cached_property
    def spread(self) -> Pair:
        """How many rows, and how many columns, hold a number that is not zero."""
        filled = self.found != 0
        rows, columns = (
            int(np.count_nonzero(np.any(filled, tuple({0, 1, 2, 3} - {axis}))))
            for axis in self.axes
        )
        return rows, columns

    @cached_property
    def places(self) -> int:
        """How many pixels, or taps of a pair of channels, hold a number that is not zero."""
        filled = self.found != 0
        return int(np.count_nonzero(filled if self.axes == (0, 1) else np.any(filled, 3)))

    def explains(self, candidate: Array) -> bool:
        """Whether these are the numbers found, enough of them, and not the right ones."""
        return bool(
            candidate.shape == self.found.shape
            and np.count_nonzero(self.found) >= FEW_NUMBERS
            and self.places > 1  # of a single pixel almost anything could be said
            and self.equal(self.found, candidate)
            and not (candidate.shape == self.right.shape and self.equal(self.right, candidate))
        )

    def equal(self, one: Array, other: Array) -> bool:
        """Whether two arrays of one shape are equal but for rounding."""
        slack = self.roundoff * float(np.max(np.abs(other), initial=0))
        return bool(np.all(np.abs(one - other) <= slack))


def _not_finite(e: _Evidence) -> str:
    if np.any(np.isnan(e.found)):
        return "not a number"
    return "infinite" if np.any(np.isinf(e.found)) else ""


def _foreign(e: _Evidence) -> str:
    """Looks for numbers that no sum of products of the inputs comes near to."""
    size = np.abs(e.found)
    foreign = (size > LARGEST) | ((size < SMALLEST) & (size > 0))
    return "numbers as of memory never written" if np.any(foreign) else ""


def _all_zeros(e: _Evidence) -> str:
    return "" if np.any(e.found) else "all zeros"


def _scaled(e: _Evidence) -> str:
    place = np.unravel_index(np.argmax(np.abs(e.right)), e.right.shape)
    if not e.right[place]:
        return ""
    factor = float(e.found[place] / e.right[place])
    return f"scaled by {factor:.9g}" if e.explains(factor * e.right) else ""


def _offset(e: _Evidence) -> str:
    constant = float(e.found.flat[0] - e.right.flat[0])
    return f"{constant:+.6g} everywhere" if e.explains(e.right + constant) else ""


def _rounded(e: _Evidence) -> str:
    """Looks for a type that holds all the numbers found, but not the right ones."""
    for bits, name in COARSER_TYPES:
        if bits >= PRECISION_BITS[e.case.dtype] or np.any(round_to_bits(e.found, bits) != e.found):
            continue
        lost = np.count_nonzero(round_to_bits(e.right, bits) != e.right)
        if lost < FEW_NUMBERS:
            continue
        sums = formula_of(e.case).compute(e.part, e.inputs.absolute()) if e.cheap else e.right
        # Errors of rounding add up like a random walk.
        bound = 2.0**-bits * _terms(e.case, e.part) ** 0.5 * np.linalg.norm(sums)
        if np.linalg.norm(e.found - e.right) <= bound:
            return f"computed in {name}"
    return ""


def _by_formula(kind: Callable[[Case, Formula], FaultModels]) -> Callable[[_Evidence], str]:
    """Makes a check for one kind of fault models."""

    def check(e: _Evidence) -> str:
        if not e.cheap or e.places < 2:
            return ""
        asked = formula_of(e.case)
        for named, formula in kind(e.case, asked):
            moves = formula.moves(asked)
            if (
                (any(moves) or formula.mixes(asked))
                and _shows(e, moves)
                and e.explains(formula.compute(e.part, e.inputs))
            ):
                return named
        return ""

    return check


def _shifted(e: _Evidence) -> str:
    """Looks for the definition with its padding moved, so that what enters at the border is right.

    One larger array holds all shifts: of the output itself, or of a gradient for each pixel by
    which an input or a tap can be off.
    """
    if not e.cheap:
        return ""
    asked = formula_of(e.case)
    reach = _reach(e)
    sizes = [e.found.shape[axis] for axis in e.axes]
    if e.part in ("y", "ddg"):
        steps, sign = (1, 1), -1
    else:
        steps, sign = (asked.dilations if e.axes == (0, 1) else asked.strides), 1
    high, wide = ((n - 1) * s + 1 + 2 * r for n, s, r in zip(sizes, steps, reach, strict=True))
    before = (asked.before[0] + sign * reach[0], asked.before[1] + sign * reach[1])
    larger = replace(asked, output=(high, wide), before=before)
    if e.part in ("dx", "ddx"):
        larger = replace(asked, input=(high, wide), strides=(1, 1), before=before)
    elif e.part in ("dw", "ddw"):
        larger = replace(asked, kernel=(high, wide), dilations=(1, 1), before=before)
    shift = _find(e, larger.compute(e.part, e.inputs), reach, steps)
    return f"shifted by {(sign * shift[0], sign * shift[1])}" if shift else ""


def _moved(e: _Evidence) -> str:
    """Looks for the right numbers moved, with zeros or the opposite border entering."""
    reach = _reach(e)
    widths = [(0, 0)] * 4
    for axis, r in zip(e.axes, reach, strict=True):
        widths[axis] = (r, r)
    canvases = [np.pad(e.right, widths)]
    if 2 not in e.spread:  # of two rows, each is the other's neighbour on both sides
        canvases.append(np.pad(e.right, widths, mode="wrap"))
    for canvas in canvases:
        if shift := _find(e, canvas, reach, (1, 1)):
            return f"shifted by {(-shift[0], -shift[1])}"
    return ""


def _reach(e: _Evidence) -> Pair:
    """How far to look for shifts along either axis; not at all where none would show."""
    reach = FILTERS_REACH if e.axes == (0, 1) else IMAGE_REACH
    return reach if e.spread[0] > 1 else 0, reach if e.spread[1] > 1 else 0


def _find(e: _Evidence, canvas: Array, reach: Pair, steps: Pair) -> Pair | None:
    """Looks for the numbers found in a larger array.

    Args:
        e: the evidence.
        canvas: holds the definition's numbers `reach` after its beginning.
        reach: how much larger it is at either end.
        steps: distance in the canvas of two neighbours in the numbers found.

    Returns:
        How far they are from where the definition's are, the nearest if there are several.
    """
    place = np.unravel_index(np.argmax(np.abs(e.found)), e.found.shape)
    probe: list[int | slice] = [int(n) for n in place]
    for axis, r, step in zip(e.axes, reach, steps, strict=True):
        first = int(place[axis]) * step
        probe[axis] = slice(first, first + 2 * r + 1)
    near = np.abs(canvas[tuple(probe)] - e.found[place]) <= e.roundoff * np.max(np.abs(canvas))
    alike = np.argwhere(near) - reach
    for row, column in sorted(alike.tolist(), key=lambda shift: abs(shift[0]) + abs(shift[1])):
        window: list[slice] = [slice(None)] * 4
        for axis, r, step, offset in zip(e.axes, reach, steps, (row, column), strict=True):
            last = r + offset + (e.found.shape[axis] - 1) * step
            window[axis] = slice(r + offset, last + 1, step)
        if (row or column) and e.explains(canvas[tuple(window)]):
            return row, column
    return None


def _shows(e: _Evidence, moves: tuple[bool, bool]) -> bool:
    """Whether the numbers found extend along the axes of a movement, so that it can be told."""
    return all(n > 1 for n, moved in zip(e.spread, moves, strict=True) if moved)


def _transposed(e: _Evidence) -> str:
    turned = e.right.swapaxes(*e.axes)
    return "height and width exchanged" if e.explains(turned) else ""


def _channels_first(e: _Evidence) -> str:
    return "channels first instead of last" if e.explains(np.moveaxis(e.right, 3, 1)) else ""


def _holes(e: _Evidence) -> str:
    return "zeros in places" if e.explains(np.where(e.found == 0, 0, e.right)) else ""


def _rank(e: _Evidence) -> str:
    if e.found.ndim == e.right.ndim:
        return ""
    return f"of rank {e.found.ndim} instead of {e.right.ndim}"


def _size(e: _Evidence) -> str:
    """Compares what both arrays have, if they differ in height and width alone."""
    others = [axis for axis in range(4) if axis not in e.axes]
    if any(e.found.shape[axis] != e.right.shape[axis] for axis in others):
        return ""
    off = tuple(e.found.shape[axis] - e.right.shape[axis] for axis in e.axes)
    named = f"size off by {off}"
    if not np.count_nonzero(e.found) >= FEW_NUMBERS:
        return named
    for at_ends in ((False, False), (True, True), (True, False), (False, True)):
        found, right = (_corner(e, array, at_ends) for array in (e.found, e.right))
        if np.any(found) and e.equal(found, right):
            if not any(at_ends):
                return f"{named}, the rest equal"
            wrong_side = "cropped" if min(off) < 0 else "extended"
            return f"{named}, {wrong_side} on the wrong side"
    return ", ".join(filter(None, (named, _shifted(e))))


def _corner(e: _Evidence, array: Array, at_ends: tuple[bool, bool]) -> Array:
    """What the two arrays have in common, if aligned at the beginning or the end of either axis."""
    window = [slice(None)] * 4
    for axis, at_end in zip(e.axes, at_ends, strict=True):
        common = min(e.found.shape[axis], e.right.shape[axis])
        window[axis] = slice(array.shape[axis] - common, None) if at_end else slice(common)
    return array[tuple(window)]


def _of_another(e: _Evidence) -> str:
    shapes = {
        "output": e.case.output_shape,
        "input": e.case.input_shape,
        "filters": e.case.filters_shape,
    }
    named = next((name for name, shape in shapes.items() if shape == e.found.shape), "")
    return f"of the shape of the {named}" if named else ""


def _count(e: _Evidence) -> str:
    names = ("batch size", "height", "width", "channels")
    if e.axes == (0, 1):
        names = ("height", "width", "out channels", "in channels")
    triples = zip(names, e.found.shape, e.right.shape, strict=True)
    return ", ".join(f"{name} {n} instead of {m}" for name, n, m in triples if n != m)


_Check = Callable[[_Evidence], str]

_OF_FEW_VALUES: tuple[_Check, ...] = (_not_finite, _foreign, _all_zeros)
"""For arrays of the right shape, and no matter how many numbers are wrong."""

_OF_VALUES: tuple[_Check, ...] = (
    _scaled,
    _rounded,
    _by_formula(fault_models.padding),
    _shifted,
    _moved,
    _by_formula(fault_models.reversal),
    _by_formula(fault_models.dilation),
    _by_formula(fault_models.input_dilation),
    _by_formula(fault_models.exchanged_axes),
    _by_formula(fault_models.groups),
    _by_formula(fault_models.filters),
    _by_formula(fault_models.strides),
    _transposed,
    _channels_first,
    _offset,
    _holes,
)
"""For arrays of the right shape with many wrong numbers, the surest first."""

_OF_SHAPES: tuple[_Check, ...] = (
    _rank,
    _not_finite,
    _transposed,
    _channels_first,
    _size,
    _of_another,
    _count,
)
"""For arrays of a wrong shape."""


def _terms(case: Case, part: Part) -> int:
    """How many products one number of the part adds up."""
    taps = case.kernel[0] * case.kernel[1]
    counts = {
        "y": taps * case.in_channels // case.groups,
        "dx": taps * case.out_channels // case.groups,
        "dw": case.batch * case.input[0] * case.input[1],
    }
    counts |= {"ddg": 2 * counts["y"], "ddx": counts["dx"], "ddw": counts["dw"]}
    return counts[part]
