"""What a subject computes at all: every type, layout, dilation, stride and grouping, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product

from compat_tests.cases.capability import DILATIONS, GROUPS, LAYOUTS, STRIDES, cases
from compat_tests.cases.case import DTYPES, Case, DataFormat, Dtype
from compat_tests.pages.reading import Result, Standing


class Ability(str, Enum):
    """What is known of one combination."""

    COMPUTES = "computes"
    REFUSES = "refuses"
    WRONG = "wrong"
    FATAL = "fatal"
    CANNOT_SAY = "cannot say"
    NOT_RUN = "not run"


_ABILITIES: Mapping[Standing, Ability] = {
    Standing.EXACT: Ability.COMPUTES,
    Standing.CLOSE: Ability.COMPUTES,
    Standing.CANNOT_SAY: Ability.CANNOT_SAY,
    Standing.REFUSED: Ability.REFUSES,
    Standing.WRONG: Ability.WRONG,
    Standing.FATAL: Ability.FATAL,
}


@dataclass(frozen=True)
class Cell:
    """One combination.

    Attributes:
        forward: what is known of the output.
        gradient: what is known of the output with both gradients.
    """

    forward: Ability = Ability.NOT_RUN
    gradient: Ability = Ability.NOT_RUN


@dataclass(frozen=True)
class Column:
    """What the columns of the table stand for, the same on both axes."""

    dilation: int
    stride: int
    groups: int


COLUMNS = tuple(
    Column(dilations[0], strides[0], groups)
    for dilations, strides, groups in product(DILATIONS, STRIDES, GROUPS)
)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        dtype: the type.
        layout: the layout.
        cells: a cell for each of `COLUMNS`.
    """

    dtype: Dtype
    layout: DataFormat
    cells: tuple[Cell, ...]


_Key = tuple[Dtype, DataFormat, Column, bool]


def capability_table(results: Iterable[Result]) -> tuple[Row, ...]:
    """Makes the table of one subject.

    Args:
        results: the subject's, of any family.

    Returns:
        A row for each type and layout; empty if none of the family's cases was run.
    """
    keys = {case.id: _key(case) for case in cases()}
    found = {keys[result.id]: _ability(result) for result in results if result.id in keys}
    if not found:
        return ()
    return tuple(
        Row(dtype, layout, tuple(_cell(found, dtype, layout, column) for column in COLUMNS))
        for dtype, layout in product(DTYPES, LAYOUTS)
    )


def _cell(found: Mapping[_Key, Ability], dtype: Dtype, layout: DataFormat, column: Column) -> Cell:
    forward, gradient = (
        found.get((dtype, layout, column, differentiated), Ability.NOT_RUN)
        for differentiated in (False, True)
    )
    return Cell(forward, gradient)


def _ability(result: Result) -> Ability:
    """What a result says; an output that came without the gradients asked for says nothing."""
    if result.forward_only:
        return Ability.CANNOT_SAY
    return _ABILITIES[result.standing]


def _key(case: Case) -> _Key:
    """Where in the table a case belongs."""
    column = Column(case.dilations[0], case.strides[0], case.groups)
    return case.dtype, case.data_format, column, bool(case.gradients)
