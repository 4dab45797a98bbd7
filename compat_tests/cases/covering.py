"""Calls from a pairwise covering of their factors, at one end of the legal sizes or the default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compat_tests.cases.case import Case
from compat_tests.cases.pairwise import covering_rows


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
