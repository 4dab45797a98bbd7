"""Conditions on sizes known only at run time, and what is said where they do not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tf_tconv.unknown import UNKNOWN


@dataclass(frozen=True)
class Check:
    """A condition known only at run time, and the sentence for the case that it does not hold.

    Args:
        holds: a scalar boolean tensor.
        sentence: with a gap for each value.
        values: sizes: ints or scalar tensors.
        legal: makes of the values, as scalar int64 tensors, the text for one more gap, the last;
            `None` if there is none.
    """

    holds: Any
    sentence: str
    values: tuple[Any, ...]
    legal: Callable[..., Any] | None = None


def checked_later(
    sentence: str,
    values: tuple[Any, ...],
    holds: Callable[[], Any],
    legal: Callable[..., Any] | None = None,
) -> tuple[Check, ...]:
    """A condition left for the run; none where there will be no run, as for a plan.

    Args:
        sentence: see `Check`.
        values: see `Check`; `UNKNOWN` among them means that there is no run.
        holds: makes the condition.
        legal: see `Check`.
    """
    if any(value is UNKNOWN for value in values):
        return ()
    return (Check(holds(), sentence, values, legal),)
