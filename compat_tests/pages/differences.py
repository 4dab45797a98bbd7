"""What went amiss with one subject, alike findings told once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from compat_tests.cases.registry import ILLEGAL
from compat_tests.judge import HOLDS, Verdict
from compat_tests.pages.reading import Result, Standing, shortened

_WORST_FIRST = tuple(reversed(Standing))


@dataclass(frozen=True)
class Difference:
    """Findings of one kind.

    Attributes:
        verdict: the verdict that they share.
        standing: what it comes to.
        reason: why, by the subject's ledger; empty if the ledger does not foresee them.
        link: where that is discussed.
        diagnosis: what was done instead, where that is known.
        message: what the example says for itself.
        illegal: whether they are about illegal calls.
        count: how many there are.
        example: id of one of them, with a reproducer if one of them has it.
    """

    verdict: Verdict
    standing: Standing
    reason: str
    link: str
    diagnosis: str
    message: str
    illegal: bool
    count: int
    example: str


def differences(results: Iterable[Result]) -> tuple[Difference, ...]:
    """Groups what is not as it should be.

    Findings are alike if the ledger gives the same reason for them; where it gives none, if the
    diagnosis is the same, or else the message, but for numbers. Illegal calls each have a message
    of their own, so there the verdict is enough.

    Args:
        results: of one subject.

    Returns:
        The kinds: legal calls first, and of them the unforeseen, the worst and the most frequent
        first; what could not be put into words comes last.
    """
    alike: dict[tuple[Verdict, Standing, bool, str], list[Result]] = {}
    for result in results:
        if result.verdict not in HOLDS:
            illegal = result.family == ILLEGAL
            key = (result.verdict, result.standing, illegal, _likeness(result))
            alike.setdefault(key, []).append(result)
    kinds = [_difference(group) for group in alike.values()]
    return tuple(sorted(kinds, key=_rank))


def _difference(group: list[Result]) -> Difference:
    """Describes findings that are alike."""
    example = next((result for result in group if result.reproducer), group[0])
    return Difference(
        verdict=example.verdict,
        standing=example.standing,
        reason=example.expected,
        link=example.link,
        diagnosis=example.diagnosis,
        message=shortened(example.detail, 240),
        illegal=example.family == ILLEGAL,
        count=len(group),
        example=example.id,
    )


def _likeness(result: Result) -> str:
    """What alike findings have in common."""
    if result.expected:
        return result.expected
    if result.family == ILLEGAL:
        return ""
    return re.sub(r"-?\d[\d,.:]*", "#", result.diagnosis or shortened(result.detail, 400))


def _rank(kind: Difference) -> tuple[bool, bool, bool, int, int, str]:
    """Where a kind belongs in the list."""
    wordless = kind.standing is Standing.CANNOT_SAY
    badness = _WORST_FIRST.index(kind.standing)
    return wordless, kind.illegal, bool(kind.reason), badness, -kind.count, kind.example
