"""Timing of several functions in one process, taken in turn so that a change of pace meets all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Call = Callable[[], object]

CALIBRATION_SECONDS = 0.004
"""How long one sample lasts at least: long beside the clock's own cost, short beside a switch."""


@dataclass(frozen=True)
class Samples:
    """What was measured of one function.

    Args:
        seconds: one entry a round, seconds a call.
    """

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds a call."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """Seconds of the fastest round's call."""
        return min(self.seconds)


def interleave(
    calls: Mapping[str, Call],
    budget: float = 1.0,
    rounds: tuple[int, int] = (5, 60),
    warm: int = 2,
) -> dict[str, Samples]:
    """Times functions in turn: A B A B.

    Args:
        calls: what to time; each returns when its result is there.
        budget: seconds for all rounds together; the fewest rounds may take longer.
        rounds: the fewest and the most rounds.
        warm: calls of each before it is timed, the first of which may compile it.

    Returns:
        The samples of each, the same number for all, in the order of their rounds.

    Example:
        >>> samples = interleave({"add": lambda: sum(range(10)), "none": lambda: None}, 0.02)
        >>> sorted(samples)
        ['add', 'none']
    """
    repeats = {}
    for name, call in calls.items():
        for _ in range(warm):
            call()
        repeats[name] = max(1, round(CALIBRATION_SECONDS / max(_seconds(call, 1), 1e-7)))
    fewest, most = rounds
    found: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + budget
    for done in range(most):
        if done >= fewest and time.perf_counter() > end:
            break
        for name, call in calls.items():
            found[name].append(_seconds(call, repeats[name]))
    return {name: Samples(tuple(seconds)) for name, seconds in found.items()}


def ratios(numerator: Samples, denominator: Samples) -> tuple[float, float, float]:
    """The quotient round by round: its median, and its lower and upper quartile."""
    pairs = zip(numerator.seconds, denominator.seconds, strict=True)
    quotients = [above / below for above, below in pairs]
    low, middle, high = statistics.quantiles(quotients, n=4, method="inclusive")
    return middle, low, high


def _seconds(call: Call, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats
