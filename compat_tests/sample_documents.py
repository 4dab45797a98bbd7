"""Sample documents for the tests of the pages: no implementation is run."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import make_inputs
from compat_tests.cases.registry import FAMILIES, ILLEGAL, select, select_illegal
from compat_tests.judge import HOLDS, Verdict, expected

Result = dict[str, Any]
Behaviour = Callable[[Case], Result]

EVIDENCE = 200
"""How many findings of a subject come with numbers and a reproducer, as in a run."""

LINK = "https://example.org/issues/1"
EXPLICIT = "explicit padding is taken for the output's"
SHIFTED = "shifted by (1, 0)"


def exact(case: Case) -> Result:
    """Always right."""
    return {"verdict": "exact"}


def native_like(case: Case) -> Result:
    """Refuses dilation and integers, as its ledger says, and is wrong on empty batches."""
    if case.dtype == "int32" or max(case.dilations) > 1:
        return {
            "verdict": "refused",
            "detail": "InvalidArgumentError: {{function_node __wrapped__X}} no dilation rates "
            f"larger than 1, got {max(case.dilations)}",
            "expected": "dilation and integers have no kernel on the CPU",
            "link": LINK,
        }
    if case.batch == 0:
        detail = f"input gradient has shape (0, 1, 1, 1), should be {case.input_shape}"
        return {"verdict": "wrong shape", "detail": detail}
    return {"verdict": "exact"}


def shifting(case: Case) -> Result:
    """Puts the odd row of SAME on the wrong side, and takes explicit padding for something else."""
    if case.gradients not in ((), ("dx", "dw")):
        return {"verdict": "refused", "detail": "no such gradients", "inexpressible": True}
    if not isinstance(case.padding, str):
        if sum(case.padding[0]) % 2:
            return {"verdict": "fatal", "detail": "signal 6 (SIGABRT): Check failed: index >= 0"}
        return {**_wrong(case), "expected": EXPLICIT, "link": LINK}
    if case.padding == "SAME" and case.strides[0] > 1 and sum(case.pads(0)) % 2:
        return {**_wrong(case), "diagnosis": SHIFTED}
    return {"verdict": "exact"}


def imprecise(case: Case) -> Result:
    """Sums in another order, and has neither groups nor channels first nor gradients."""
    if case.groups > 1 or case.data_format == "NCHW":
        return {"verdict": "refused", "detail": "no groups here", "inexpressible": True}
    if case.dtype in ("half", "bfloat16"):
        detail = "output[0,0,0,0] is 5.00391, should be 5 (1 of 9 differ)"
        return {"verdict": "close", "detail": detail, "ulps": 1.0, "forward_only": True}
    if max(case.input) > 100:
        return {"verdict": "timed out", "detail": "no answer within 60 s"}
    return {"verdict": "exact", **({"forward_only": True} if case.gradients else {})}


BEHAVIOURS: Mapping[str, Behaviour] = {
    "ours": exact,
    "native": native_like,
    "shift:same": shifting,
    "rough": imprecise,
}


def make_document(
    cases: Iterable[Case] | None = None,
    behaviours: Mapping[str, Behaviour] = BEHAVIOURS,
    illegal: bool = True,
) -> dict[str, Any]:
    """Makes a document with the subjects of `behaviours`, one that is absent and one that fails.

    Args:
        cases: the legal cases; all unless given.
        behaviours: what becomes of a case, by subject.
        illegal: whether the first two subjects face the illegal calls as well.

    Returns:
        Plain values, as `json.load` returns them.
    """
    legal = select() if cases is None else tuple(cases)
    subjects: dict[str, Any] = {}
    for n, (name, behaviour) in enumerate(behaviours.items()):
        results = [{"id": case.id, **behaviour(case)} for case in legal]
        if illegal and n < 2:
            results += [{"id": call.id, **_answer(call, bool(n))} for call in select_illegal()]
        _add_evidence(name, results, {case.id: case for case in legal})
        subjects[name] = _subject(name, results)
    subjects["torch"] = {
        **_subject("torch", []),
        "description": None,
        "absent": "No module named 'torch'",
    }
    subjects["broken"] = {
        **_subject("broken", []),
        "description": None,
        "failure": "exit code 1 while loading: ImportError: libgomp.so.1",
    }
    return {
        "created": "2026-11-22T18:00:00+00:00",
        "python": "3.11.7",
        "machine": "Linux x86_64",
        "seconds": 321.0,
        "interrupted": False,
        "settings": {
            "subjects": list(subjects),
            "families": [*FAMILIES, ILLEGAL],
            "cases": [],
            "sample": None,
            "jobs": 2,
            "timeout": 60.0,
            "memory": 11.7,
            "processor": ["Some CPU", "2 cores", "has avx512f", "lacks avx512_fp16"],
        },
        "subjects": subjects,
    }


def _subject(name: str, results: list[Result]) -> dict[str, Any]:
    """One subject's part of the document."""
    foreseen = sum("expected" in result for result in results)
    return {
        "description": {"implementation": f"{name}.conv2d_transpose", "numpy": "2.4.6"},
        "absent": None,
        "failure": None,
        "planned": len(results),
        "sample": None,
        "counts": dict(Counter(result["verdict"] for result in results)),
        "ledger": {
            "file": f"expected/{name}.toml",
            "entries": 1,
            "expected": foreseen,
            "complaints": [],
        }
        if foreseen
        else None,
        "results": results,
    }


def _wrong(case: Case) -> Result:
    height, width, channels = case.output_shape[1:]
    size = case.batch * height * width * channels
    value = zlib.crc32(case.id.encode()) % 1000
    detail = f"output[0,0,0,0] is {value}, should be -{value} ({size // 2} of {size} differ)"
    return {"verdict": "wrong values", "detail": detail}


def _answer(call: IllegalCase, careless: bool) -> Result:
    """What becomes of an illegal call."""
    if not careless:
        return {"verdict": "clear error", "detail": f"{call.error}: {next(iter(call.changes))}"}
    verdict = list(Verdict)[6 + len(call.id) % 3]
    return {"verdict": verdict.value, "detail": "InvalidArgumentError: something is amiss"}


def _add_evidence(name: str, results: list[Result], cases: Mapping[str, Case]) -> None:
    """Adds numbers and reproducers to the smallest findings, as a run does."""
    amiss = [
        result
        for result in results
        if result["id"] in cases
        and Verdict(result["verdict"]) not in HOLDS
        and not result.get("inexpressible")
    ]
    for result in sorted(amiss, key=lambda found: cases[found["id"]].products)[:EVIDENCE]:
        case = cases[result["id"]]
        result["reproducer"] = "\n".join(
            [
                "import numpy as np",
                f"x = np.arange({case.input[0] * case.input[1] * case.in_channels})",
                f"w = np.ones({case.filters_shape})",
                f"y = {name.replace(':', '_')}(x, w, strides={case.strides})",
                "print(y)",
            ]
        )
        if result["verdict"] == "wrong values":
            right = expected(case, make_inputs(case))["y"].astype(int)
            found = np.roll(right, 1, axis=1)
            result["numbers"] = {"part": "y", "found": found.tolist(), "right": right.tolist()}
