"""The process in which an implementation runs: reads calls from a pipe, writes what became of them.

Started by the runner as `python -m compat_tests.worker SUBJECT BYTES`, with the memory that it may
take, and possibly by another Python, so it needs NumPy and the implementation alone. It never sees
the expected answer.

A framework takes seconds to load, and a call may cost the process its life. So, on Linux, the
process that has loaded one makes no call itself but forks another that does, and one more whenever
that has died.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import IO

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import make_inputs
from compat_tests.messages import read_message, write_message
from compat_tests.outcomes import Died, Outcome, accepted, answered, cause, raised
from compat_tests.subjects.registry import resolve
from compat_tests.subjects.subject import Subject

PR_SET_PDEATHSIG = 1
"""The option of prctl(2)."""


def run_call(subject: Subject, call: Case | IllegalCase) -> Outcome:
    """Makes one call and records what became of it, whatever it raises.

    Args:
        subject: the implementation.
        call: a legal or an illegal call.

    Returns:
        What came back, or what was raised.
    """
    try:
        if isinstance(call, IllegalCase):
            return accepted(subject.call_illegal(call))
        return answered(subject.compute(call, make_inputs(call)))
    except Exception as error:
        return raised(error)


def serve(subject: Subject, requests: IO[bytes], replies: IO[bytes]) -> None:
    """Answers calls until there are no more.

    The first reply is the description of the subject, or the error that kept it from loading; then
    one outcome a call, in order.

    Args:
        subject: the implementation.
        requests: where to read calls.
        replies: where to write outcomes.
    """
    threads = _threads()
    try:
        description = subject.describe()
    except Exception as error:
        write_message(replies, raised(error))
        return
    write_message(replies, description)
    if threads is None or _threads() != threads:
        # Threads are not copied along: a framework that has started some would wait for them.
        _answer(subject, requests, replies)
        return
    while code := _in_a_child(lambda: _answer(subject, requests, replies)):
        write_message(replies, Died(cause(code), ""))


def _answer(subject: Subject, requests: IO[bytes], replies: IO[bytes]) -> None:
    """Answers calls until there are no more."""
    while True:
        try:
            call = read_message(requests)
        except EOFError:
            return
        write_message(replies, run_call(subject, call))


def _threads() -> int | None:
    """How many threads this process has, where the kernel is Linux."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def _in_a_child(work: Callable[[], None]) -> int:
    """Does the work in a copy of this process.

    Returns:
        What the copy ended with: 0 when the work was done, a negative number for a signal.
    """
    child = os.fork()
    if not child:
        _die_with_the_parent()
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _die_with_the_parent() -> None:
    """Has the kernel end this process when its parent has ended, where the kernel is Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Keeps the pipes for itself, and sends what the implementation prints to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    _limit_memory(int(sys.argv[2]))
    serve(resolve(sys.argv[1]), requests, replies)
    replies.close()
    os._exit(0)


def _limit_memory(allowed: int) -> None:
    """Allows the process so many bytes of data, so that an excess ends it and nothing else."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


if __name__ == "__main__":
    main()
