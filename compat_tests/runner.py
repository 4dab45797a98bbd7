"""Runs calls in worker processes, several at a time, and judges what comes back in this one.

Each slot is a thread that owns one worker: it takes the calls of one subject, one after the other,
and starts a new worker when a call has killed the old one. Everything else, the oracle included,
happens in the thread that calls `run`.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from compat_tests.cases.case import Case, Part
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import Inputs, make_inputs
from compat_tests.judge import Judgement, expected, judge, judge_illegal
from compat_tests.oracle import Array
from compat_tests.outcomes import Died, Outcome, TimedOut
from compat_tests.worker_process import CannotStart, NotInstalled, WorkerProcess

Call = Case | IllegalCase


def _physical_memory() -> int:
    """Bytes of memory that the machine has."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 8 * 2**30  # not a POSIX system, where the limit has no effect either


MEMORY = _physical_memory() // 2
"""Bytes that a worker may take unless told otherwise: what leaves room for a second one."""


@dataclass(frozen=True)
class Finding:
    """One call, judged.

    Attributes:
        subject: the subject's name.
        call: what was called.
        judgement: the verdict on it, with its reasons.
    """

    subject: str
    call: Call
    judgement: Judgement


@dataclass
class Report:
    """What is known so far.

    Attributes:
        subjects: their names, in the order asked for.
        planned: the number of calls for each subject.
        descriptions: versions and settings of the subjects that could be started.
        absent: why others are not installed, by their names.
        failures: why the rest could not.
        samples: the number of legal cases of the subjects that take a sample by default.
        findings: the calls judged, in the order of the tables for each subject.
        seconds: how long it took.
        interrupted: whether it was stopped before the end.
    """

    subjects: tuple[str, ...]
    planned: dict[str, int]
    descriptions: dict[str, dict[str, str]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def legal(self, subject: str) -> list[Finding]:
        """The findings on one subject's legal calls."""
        return [f for f in self.findings if f.subject == subject and isinstance(f.call, Case)]

    def illegal(self, subject: str) -> list[Finding]:
        """The findings on one subject's illegal calls."""
        return [
            f for f in self.findings if f.subject == subject and isinstance(f.call, IllegalCase)
        ]

    def complete(self, subject: str) -> bool:
        """Whether every planned call of one subject was made."""
        return len(self.legal(subject)) + len(self.illegal(subject)) == self.planned[subject]


class Listener(Protocol):
    """Hears how the run goes, in the thread that called `run`."""

    def started(self, subject: str, description: dict[str, str]) -> None:
        """A subject runs for the first time, and these are its versions and settings."""

    def judged(self, finding: Finding, report: Report) -> None:
        """A call has been judged, and the report holds it."""


class NullListener:
    """A listener that ignores everything."""

    def started(self, subject: str, description: dict[str, str]) -> None:
        """Ignores it."""

    def judged(self, finding: Finding, report: Report) -> None:
        """Ignores it."""


def run(
    calls: Mapping[str, Sequence[Call]],
    jobs: int = 2,
    timeout: float = 60.0,
    memory: int = MEMORY,
    listener: Listener | None = None,
    earlier: Report | None = None,
    samples: Mapping[str, int] | None = None,
) -> Report:
    """Makes all calls and judges them.

    Args:
        calls: the calls to make, by the name of the subject.
        jobs: how many workers run at a time.
        timeout: seconds allowed for a call.
        memory: bytes that a worker may take.
        listener: hears how it goes.
        earlier: what an earlier run has found; its calls are not made again.
        samples: how many legal cases the subjects take that take a sample; for the report.

    Returns:
        The report; if Ctrl-C came in between, what was found before it.
    """
    started = time.monotonic()
    report = Report(tuple(calls), {subject: len(queued) for subject, queued in calls.items()})
    report.samples = dict(samples or {})
    listener = listener or NullListener()
    left = dict(calls)
    if earlier is not None:
        left = _take_over(report, earlier, calls)
        for finding in report.findings:
            listener.judged(finding, report)
    scheduler = _Scheduler(left)
    slots = [
        threading.Thread(target=_run_slot, args=(scheduler, timeout, memory), daemon=True)
        for _ in range(jobs)
    ]
    for slot in slots:
        slot.start()
    answers = _ExpectedAnswers(left)
    introduced: set[str] = set()
    try:
        while any(slot.is_alive() for slot in slots) or not scheduler.events.empty():
            try:
                event = scheduler.events.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(event, _WorkerStarted):
                _check_version(report, event, scheduler)
                if event.subject not in introduced:
                    introduced.add(event.subject)
                    listener.started(event.subject, event.description)
                continue
            finding = _judged(event, answers)
            report.findings.append(finding)
            listener.judged(finding, report)
    except KeyboardInterrupt:
        report.interrupted = True
    finally:
        scheduler.stop()
        for slot in slots:
            slot.join()
    report.absent, report.failures = scheduler.absent, scheduler.failures
    places = {subject: {c.id: n for n, c in enumerate(queued)} for subject, queued in calls.items()}
    report.findings.sort(key=lambda f: places[f.subject][f.call.id])
    report.seconds += time.monotonic() - started
    return report


def _take_over(
    report: Report, earlier: Report, calls: Mapping[str, Sequence[Call]]
) -> dict[str, Sequence[Call]]:
    """Puts the findings of an earlier run into a report, and returns the calls that are left."""
    left: dict[str, Sequence[Call]] = {}
    for subject, queued in calls.items():
        wanted = {call.id for call in queued}
        known = [f for f in earlier.findings if f.subject == subject and f.call.id in wanted]
        report.findings += known
        if known and subject in earlier.descriptions:
            report.descriptions[subject] = earlier.descriptions[subject]
        judged = {finding.call.id for finding in known}
        left[subject] = [call for call in queued if call.id not in judged]
    report.seconds = earlier.seconds
    return left


def _check_version(report: Report, event: _WorkerStarted, scheduler: _Scheduler) -> None:
    """Notes what a subject says of itself, which must be the same whenever it starts."""
    known = report.descriptions.setdefault(event.subject, event.description)
    if known != event.description:
        told = "; ".join(
            f"{key} was {known.get(key, 'unknown')}, is {event.description.get(key, 'unknown')}"
            for key in sorted({*known, *event.description})
            if known.get(key) != event.description.get(key)
        )
        scheduler.drop(event.subject, f"another version began this run: {told}")


class _ExpectedAnswers:
    """The oracle's answers, each kept until every subject has been judged by it."""

    def __init__(self, calls: Mapping[str, Sequence[Call]]) -> None:
        self._uses: dict[str, int] = {}
        for queued in calls.values():
            for call in queued:
                self._uses[call.id] = self._uses.get(call.id, 0) + 1
        self._kept: dict[str, tuple[Inputs, dict[Part, Array]]] = {}

    def take(self, case: Case) -> tuple[Inputs, dict[Part, Array]]:
        """Inputs and expected answer of a case, for one subject."""
        if case.id not in self._kept:
            inputs = make_inputs(case)
            self._kept[case.id] = (inputs, expected(case, inputs))
        self._uses[case.id] -= 1
        if self._uses[case.id]:
            return self._kept[case.id]
        return self._kept.pop(case.id)


@dataclass(frozen=True)
class _WorkerStarted:
    """Event: a worker has loaded its framework."""

    subject: str
    description: dict[str, str]


@dataclass(frozen=True)
class _CallEnded:
    """Event: a call has ended, one way or the other."""

    subject: str
    call: Call
    outcome: Outcome


def _judged(event: _CallEnded, answers: _ExpectedAnswers) -> Finding:
    """Judges one outcome."""
    call = event.call
    if isinstance(call, IllegalCase):
        return Finding(event.subject, call, judge_illegal(call, event.outcome))
    inputs, truth = answers.take(call)
    return Finding(event.subject, call, judge(call, inputs, event.outcome, truth))


class _Scheduler:
    """Gives the slots their calls, and collects the events.

    Attributes:
        events: what happened in the slots, in order.
        absent: why a subject is not there.
        failures: why a subject could not be started.
        stopped: whether the slots are to end.
    """

    def __init__(self, calls: Mapping[str, Sequence[Call]]) -> None:
        self.events: queue.SimpleQueue[_WorkerStarted | _CallEnded] = queue.SimpleQueue()
        self.absent: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.stopped = False
        self._waiting = {subject: deque(queued) for subject, queued in calls.items()}
        self._slots = dict.fromkeys(calls, 0)
        self._workers: set[WorkerProcess] = set()
        self._lock = threading.Lock()

    def assign(self) -> str | None:
        """The subject with most calls for each worker that it would have; None if all are done."""
        with self._lock:
            left = {s: len(q) / (1 + self._slots[s]) for s, q in self._waiting.items() if q}
            if not left or self.stopped:
                return None
            subject = max(left, key=lambda s: left[s])
            self._slots[subject] += 1
            return subject

    def release(self, subject: str) -> None:
        """Says that a slot no longer works on a subject."""
        with self._lock:
            self._slots[subject] -= 1

    def next_call(self, subject: str) -> Call | None:
        """The subject's next call; None if there is none or the run is to end."""
        with self._lock:
            waiting = self._waiting[subject]
            return waiting.popleft() if waiting and not self.stopped else None

    def has_calls(self, subject: str) -> bool:
        """Whether the subject has calls left."""
        with self._lock:
            return bool(self._waiting[subject]) and not self.stopped

    def drop(self, subject: str, reason: str, absent: bool = False) -> None:
        """Drops the calls of a subject that can't be started, or is not even there."""
        with self._lock:
            if not self.stopped:
                (self.absent if absent else self.failures)[subject] = reason
            self._waiting[subject].clear()

    def register(self, worker: WorkerProcess) -> None:
        """Notes a worker that is running; ends it if the run is to end."""
        with self._lock:
            self._workers.add(worker)
            if self.stopped:
                worker.kill()

    def unregister(self, worker: WorkerProcess) -> None:
        """Strikes out a worker that has ended."""
        with self._lock:
            self._workers.remove(worker)

    def stop(self) -> None:
        """Ends all workers and with them the slots."""
        with self._lock:
            self.stopped = True
            for worker in self._workers:
                worker.kill()


def _run_slot(scheduler: _Scheduler, timeout: float, memory: int) -> None:
    """Works until no subject has calls left."""
    while (subject := scheduler.assign()) is not None:
        while scheduler.has_calls(subject):
            try:
                _run_worker(scheduler, subject, WorkerProcess(subject, timeout, memory))
            except NotInstalled as reason:
                scheduler.drop(subject, str(reason), absent=True)
            except CannotStart as reason:
                scheduler.drop(subject, str(reason))
        scheduler.release(subject)


def _run_worker(scheduler: _Scheduler, subject: str, worker: WorkerProcess) -> None:
    """Has one worker do what it can, and sees that it ends."""
    scheduler.register(worker)
    try:
        scheduler.events.put(_WorkerStarted(subject, worker.load()))
        _make_calls(scheduler, subject, worker)
    finally:
        worker.close()
        scheduler.unregister(worker)


def _make_calls(scheduler: _Scheduler, subject: str, worker: WorkerProcess) -> None:
    """Puts calls to one worker until it is dead or there are no more."""
    while worker.alive and (call := scheduler.next_call(subject)) is not None:
        outcome = worker.ask(call)
        if scheduler.stopped and isinstance(outcome, (Died, TimedOut)):
            return  # ended from here, through no fault of the call
        scheduler.events.put(_CallEnded(subject, call, outcome))
