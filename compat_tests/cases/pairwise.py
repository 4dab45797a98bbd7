"""A small design that lets every two choices meet at least once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any


def covering_rows(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows of choices in which every choice of a factor meets every choice of every other factor.

    Greedy and deterministic: each row starts from the first two choices that have not met, and
    fills in what meets most new partners; ties go to the choice used least so far.

    Args:
        factors: the choices of each factor, by its name; at least two factors.

    Returns:
        One mapping from factor to choice a row; no more rows than there are pairs of choices.
    """
    names = list(factors)
    waiting: dict[tuple[tuple[int, int], tuple[int, int]], None] = {
        ((one, a), (other, b)): None
        for one, other in combinations(range(len(names)), 2)
        for a in range(len(factors[names[one]]))
        for b in range(len(factors[names[other]]))
    }
    used = {(f, c): 0 for f, name in enumerate(names) for c in range(len(factors[name]))}
    rows: list[dict[str, Any]] = []
    while waiting:
        row = dict(next(iter(waiting)))
        for factor in range(len(names)):
            if factor in row:
                continue
            row[factor] = min(
                range(len(factors[names[factor]])),
                key=lambda choice, factor=factor, row=row: (  # type: ignore[misc]
                    -sum(_pair(factor, choice, f, c) in waiting for f, c in row.items()),
                    used[factor, choice],
                ),
            )
        for (one, a), (other, b) in combinations(sorted(row.items()), 2):
            waiting.pop(((one, a), (other, b)), None)
        for chosen in row.items():
            used[chosen] += 1
        rows.append({names[f]: factors[names[f]][c] for f, c in sorted(row.items())})
    return rows


def _pair(
    factor: int, choice: int, other: int, other_choice: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The key of two choices, the factor that comes first in front."""
    if factor < other:
        return (factor, choice), (other, other_choice)
    return (other, other_choice), (factor, choice)
