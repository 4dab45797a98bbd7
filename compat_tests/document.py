"""A report as plain values: what `--json` writes, `--resume` reads, and the pages are made from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from compat_tests.cases.case import Case
from compat_tests.expected.known_differences import KnownDifferences
from compat_tests.judge import Judgement, Numbers, Verdict
from compat_tests.machine import this_machine
from compat_tests.reproduce import reproducer
from compat_tests.runner import Call, Finding, Report
from compat_tests.subjects.registry import resolve

Document = dict[str, Any]

SHOWN = 200
"""How many findings of a subject come with numbers and a reproducer: the smallest ones."""


def as_document(
    report: Report,
    settings: Mapping[str, object],
    ledgers: Mapping[str, KnownDifferences],
    brief: bool = False,
) -> Document:
    """The whole report as plain values.

    Args:
        report: the report.
        settings: how it was asked for.
        ledgers: of the subjects for whose versions one speaks.
        brief: leave out the reproducers, which take time.

    Returns:
        Settings, and by subject the versions, counts and each call's verdict. Of a finding only
        what there is to say is there.
    """
    machine = this_machine()
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{machine.system} {machine.architecture}",
        "settings": dict(settings),
        "seconds": round(report.seconds, 1),
        "interrupted": report.interrupted,
        "subjects": {
            subject: _subject(report, subject, ledgers.get(subject), 0 if brief else SHOWN)
            for subject in report.subjects
        },
    }


def write_document(path: Path, document: Document) -> None:
    """Writes a document to a file, which is whole at any moment; a device or a pipe stays one."""
    text = json.dumps(document, separators=(",", ":")) + "\n"
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    place = Path(os.path.realpath(path))
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, place)


def read_report(path: Path, calls: Mapping[str, Sequence[Call]]) -> Report:
    """Reads back the findings of an earlier run.

    Args:
        path: a file that `write_document` has written.
        calls: the calls of the new run, by subject; others are passed over.

    Returns:
        The findings on those calls, each subject's description and the time they took.

    Raises:
        ValueError: if the file is not such a document.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        report = Report(tuple(calls), {subject: len(queued) for subject, queued in calls.items()})
        report.seconds = document["seconds"]
        for subject, queued in calls.items():
            earlier = document["subjects"].get(subject)
            if earlier is None:
                continue
            if earlier["description"]:
                report.descriptions[subject] = earlier["description"]
            by_id = {call.id: call for call in queued}
            report.findings += [
                Finding(subject, by_id[result["id"]], _judgement(result))
                for result in earlier["results"]
                if result["id"] in by_id
            ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no results of this suite: {error!r}") from None
    return report


def _subject(
    report: Report, subject: str, ledger: KnownDifferences | None, most: int
) -> dict[str, Any]:
    """One subject's part of the document, with the numbers of so many findings at most."""
    findings = report.legal(subject) + report.illegal(subject)
    amiss = [f for f in findings if not f.judgement.holds and not f.judgement.inexpressible]
    shown = {id(finding) for finding in sorted(amiss, key=_size)[:most]}
    return {
        "description": report.descriptions.get(subject),
        "absent": report.absent.get(subject),
        "failure": report.failures.get(subject),
        "planned": report.planned[subject],
        "sample": report.samples.get(subject),
        "counts": {
            verdict.value: count
            for verdict in Verdict
            if (count := sum(f.judgement.verdict is verdict for f in findings))
        },
        "ledger": ledger
        and {
            "file": f"expected/{ledger.path.name}",
            "entries": len(ledger.differences),
            "expected": sum(ledger.expects(f) is not None for f in amiss),
            "complaints": [ledger.complaint(f) for f in ledger.contradicting(findings)],
        },
        "results": [_result(f, ledger, id(f) in shown) for f in findings],
    }


def _result(finding: Finding, ledger: KnownDifferences | None, shown: bool) -> dict[str, Any]:
    """One finding, without what is empty."""
    call, judgement = finding.call, finding.judgement
    entry = ledger.expects(finding) if ledger else None
    result: dict[str, Any] = {
        "id": call.id,
        "verdict": judgement.verdict.value,
        "detail": judgement.detail,
        "ulps": judgement.ulps,
        "forward_only": judgement.forward_only,
        "inexpressible": judgement.inexpressible,
        "diagnosis": judgement.diagnosis,
        "expected": entry.reason if entry else "",
        "link": entry.link if entry else "",
    }
    if shown and isinstance(call, Case):
        result["reproducer"] = reproducer(resolve(finding.subject), call, judgement)
        numbers = judgement.numbers
        if numbers is not None and numbers.found.size and numbers.right.size:
            result["numbers"] = {
                "part": numbers.part,
                "found": _listed(numbers.found),
                "right": _listed(numbers.right),
            }
    return {key: value for key, value in result.items() if value}


def _judgement(result: Mapping[str, Any]) -> Judgement:
    """The judgement that `_result` has written down."""
    numbers = result.get("numbers")
    return Judgement(
        Verdict(result["verdict"]),
        result.get("detail", ""),
        result.get("ulps", 0.0),
        result.get("forward_only", False),
        result.get("inexpressible", False),
        result.get("diagnosis", ""),
        numbers
        and Numbers(
            numbers["part"],
            np.asarray(numbers["found"], np.float64),
            np.asarray(numbers["right"], np.float64),
        ),
    )


def _listed(array: Any) -> Any:
    """Nested lists; what is not a finite number becomes text, which JSON can hold."""
    values = array.astype(np.float64)
    if np.all(np.isfinite(values)):
        whole = np.all(values == np.rint(values)) and np.all(np.abs(values) < 2**53)
        return (values.astype(np.int64) if whole else values).tolist()
    return values.astype(str).tolist()


def _size(finding: Finding) -> tuple[int, str]:
    """Small cases first, as they are the easiest to read."""
    call = finding.call
    return (call.products if isinstance(call, Case) else 0, call.id)
