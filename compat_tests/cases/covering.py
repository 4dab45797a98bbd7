"""Pairwise coverings of legal calls: made from their factors, or chosen from those there are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compat_tests.cases.case import Case
from compat_tests.cases.pairwise import covering_choice, covering_rows


def chosen_calls(
    cases: Sequence[Case],
    variants: Sequence[str],
    *further: Callable[[Case], Hashable],
    related: bool = True,
) -> list[tuple[Case, str]]:
    """Cases with a variant each, so that every two of what they are made of meet.

    Args:
        cases: to choose from.
        variants: what each can be computed by; each meets every value of everything else.
        *further: what else has to meet everything.
        related: whether how a kernel's reach compares with its stride is such a thing, too.

    Returns:
        Cases and variants, in the order of the cases.
    """

    def factors(case: Case) -> tuple[Hashable, ...]:
        own = (
            case.kernel,
            case.strides,
            case.dilations,
            case.padding,
            case.input,
            tuple(o % s for o, s in zip(case.output_size, case.strides, strict=True)),
            (case.in_channels, case.out_channels, case.groups),
            case.batch,
            case.dtype,
            case.data_format,
            case.gradients,
            case.unknown,
        )
        relations = tuple(map(_relation, case.kernel, case.dilations, case.strides))
        return (*own, *([relations] if related else []), *(each(case) for each in further))

    return covering_choice(cases, factors, variants)


def _relation(kernel: int, dilation: int, stride: int) -> str:
    """How far the kernel reaches, in strides: where algorithms have branches."""
    reach = (kernel - 1) * dilation + 1
    if reach < stride:
        return "less than a stride"
    return "whole strides" if reach % stride == 0 else "more than a stride"


def covering_calls(family: str, factors: Mapping[str, Sequence[Any]]) -> Iterator[Case]:
    """Calls that cover all pairs of the factors' values.

    Args:
        family: the family of the calls.
        factors: by name: "kernel", "strides", "dilations", "padding", "input", "batch"; "channels",
            of which each is (in, out, groups, layout); and "ends", which of the legal sizes the
            output has down and across, None for the default where the padding has one.

    Returns:
        A call for each row of the covering.
    """
    for row in covering_rows(factors):
        in_channels, out_channels, groups, data_format = row["channels"]
        call = Case(
            family,
            batch=row["batch"],
            input=row["input"],
            kernel=row["kernel"],
            strides=row["strides"],
            dilations=row["dilations"],
            padding=row["padding"],
            in_channels=in_channels,
            out_channels=out_channels,
            groups=groups,
            data_format=data_format,
        )
        if row["ends"] or not isinstance(call.padding, str):
            height, width = row["ends"] or (-1, -1)
            output = (call.legal_output_sizes(0)[height], call.legal_output_sizes(1)[width])
            call = replace(call, output=output)
        yield call
