"""All families by name, and how to choose from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from compat_tests.cases import (
    axis,
    capability,
    channels,
    dtype,
    dynamic,
    edge,
    explicit,
    gradient,
    illegal,
    layout,
    models,
    plane,
)
from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase

FAMILIES: dict[str, Callable[[], tuple[Case, ...]]] = {
    "axis": axis.cases,
    "explicit": explicit.cases,
    "plane": plane.cases,
    "channels": channels.cases,
    "dtype": dtype.cases,
    "layout": layout.cases,
    "edge": edge.cases,
    "gradient": gradient.cases,
    "dynamic": dynamic.cases,
    "models": models.cases,
    "capability": capability.cases,
}

ILLEGAL = "illegal"
"""The name of the family of illegal calls, which `select_illegal` returns."""

CAPABILITY = "capability"
"""The name of the family that tells what an implementation offers at all."""

MEANINGS: dict[str, str] = {
    "axis": "one axis at a time: small sizes, every stride, dilation and legal output",
    "explicit": "padding given for each side, crops beyond the kernel among it",
    "plane": "two axes that differ in everything, mixed pairwise",
    "channels": "channel counts, groups, depthwise, empty batches",
    "dtype": "half, bfloat16, float32, float64 and int32",
    "layout": "channels last and channels first",
    "edge": "empty images, single pixels, strides and kernels out of proportion",
    "gradient": "each gradient alone, and gradients of gradients",
    "dynamic": "sizes that become known only when the traced call runs",
    "models": "layers of published models, in their real sizes",
    "capability": "types, dilations, strides, groups, layouts and gradients, every combination",
    "illegal": "calls that must be refused, with an error that says why",
}
"""What each family is about, in one line."""


def select(
    families: Iterable[str] = (), sample: int | None = None, ids: Iterable[str] = ()
) -> tuple[Case, ...]:
    """Chooses cases, in the order of the tables.

    Args:
        families: names of families; none means all.
        sample: at most so many cases in all, shared among the families by their sizes and spread
            evenly over each; the same call always gives the same cases. None means all.
        ids: ids, or shell patterns for ids; none means all.

    Returns:
        The chosen cases.

    Raises:
        ValueError: for an unknown family, a sample below one, or an id that matches no case.
    """
    wanted = list(dict.fromkeys(families)) or list(FAMILIES)
    for name in wanted:
        if name not in FAMILIES:
            raise ValueError(f"no family {name!r}; there are {', '.join(FAMILIES)}")
    cases = tuple(case for name in FAMILIES if name in wanted for case in FAMILIES[name]())
    patterns = tuple(ids)
    if patterns:
        for pattern in patterns:
            if not any(fnmatchcase(case.id, pattern) for case in cases):
                raise ValueError(f"no case {pattern!r} in {', '.join(wanted)}")
        cases = tuple(c for c in cases if any(fnmatchcase(c.id, p) for p in patterns))
    return cases if sample is None else spread(cases, sample)


def select_illegal(ids: Iterable[str] = ()) -> tuple[IllegalCase, ...]:
    """Chooses illegal calls, in the order of the table.

    Args:
        ids: ids, or shell patterns for ids; none means all.

    Returns:
        The chosen ones; none of them where no id matches.
    """
    patterns = tuple(ids)
    found = illegal.cases()
    if not patterns:
        return found
    return tuple(c for c in found if any(fnmatchcase(c.id, p) for p in patterns))


def spread(cases: tuple[Case, ...], count: int) -> tuple[Case, ...]:
    """At most `count` of the cases, evenly spread and at least one from each family if it can be.

    Args:
        cases: cases in the order of the tables.
        count: how many to keep.

    Returns:
        The kept ones, in the same order.

    Raises:
        ValueError: if `count` is below one.
    """
    if count < 1:
        raise ValueError(f"sample={count}: at least one case is needed")
    if count >= len(cases):
        return cases
    families: dict[str, list[Case]] = {}
    for case in cases:
        families.setdefault(case.family, []).append(case)
    if count < len(families):
        return tuple(_evenly(list(cases), count))
    shares = {name: max(1, len(found) * count // len(cases)) for name, found in families.items()}
    largest = sorted(families, key=lambda name: -len(families[name]))
    while (excess := sum(shares.values()) - count) != 0:
        for name in largest:
            if excess > 0 and shares[name] > 1:
                shares[name] -= 1
                break
            if excess < 0 and shares[name] < len(families[name]):
                shares[name] += 1
                break
    return tuple(case for name, found in families.items() for case in _evenly(found, shares[name]))


def _evenly(cases: list[Case], count: int) -> list[Case]:
    """`count` of the cases, taken from the middles of as many equal stretches."""
    return [cases[(2 * n + 1) * len(cases) // (2 * count)] for n in range(count)]
