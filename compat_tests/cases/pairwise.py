"""A small design that lets every two choices meet at least once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeVar

T = TypeVar("T")


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


def covering_choice(
    cases: Sequence[T], factors: Callable[[T], Sequence[Hashable]], variants: Sequence[str]
) -> list[tuple[T, str]]:
    """Cases with a variant each, so that every two choices meet that can, the variant among them.

    Where `covering_rows` makes calls, this picks from those that there are. Two values meet if one
    case has both; every value of every factor meets every variant. Greedy and deterministic.

    Args:
        cases: to pick from; any number of times.
        factors: the values of a case, as many for each and in the same order.
        variants: what each case can be combined with.

    Returns:
        Pairs of case and variant, in the order of the cases.
    """
    values = [tuple(enumerate(factors(case))) for case in cases]
    holders: dict[tuple[_Value, ...], list[int]] = {}
    for number, those in enumerate(values):
        for value in those:
            holders.setdefault((value,), []).append(number)
        for pair in combinations(those, 2):
            holders.setdefault(pair, []).append(number)
    # Pairs of values and, as pairs with a variant, values with the variant's number.
    waiting: dict[tuple[Any, ...], None] = {key: None for key in holders if len(key) == 2}
    waiting |= {
        (value, variant): None
        for (value, *others) in holders
        if not others
        for variant in range(len(variants))
    }
    used = [0] * len(variants)
    chosen: dict[tuple[int, int], None] = {}
    while waiting:
        first, second = next(iter(waiting))
        fixed = isinstance(second, int)
        wanted = holders[(first,) if fixed else (first, second)]
        case, variant = max(
            (
                (number, variant)
                for number in _spread(wanted, len(chosen))
                for variant in ((second,) if fixed else range(len(variants)))
            ),
            key=lambda row: (_newly_met(values[row[0]], row[1], waiting), -used[row[1]]),
        )
        chosen[case, variant] = None
        used[variant] += 1
        for pair in combinations(values[case], 2):
            waiting.pop(pair, None)
        for value in values[case]:
            waiting.pop((value, variant), None)
    return [(cases[case], variants[variant]) for case, variant in sorted(chosen)]


_Value = tuple[int, Hashable]


def _newly_met(
    values: Sequence[_Value], variant: int, waiting: Mapping[tuple[Any, ...], None]
) -> int:
    """How many pairs that have not met yet a case and a variant have."""
    return sum((value, variant) in waiting for value in values) + sum(
        pair in waiting for pair in combinations(values, 2)
    )


def _spread(numbers: Sequence[int], turn: int, count: int = 8) -> Iterator[int]:
    """Some of the numbers, from all over, others in the next turn."""
    step = max(len(numbers) // count, 1)
    for place in range(turn % step, len(numbers), step):
        yield numbers[place]
