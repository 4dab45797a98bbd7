"""The process in which an implementation runs: reads calls from a pipe, writes what became of them.

Started by the runner as `python -m compat_tests.worker SUBJECT BYTES`, with the memory that it may
take, and possibly by another Python, so it needs NumPy and the implementation alone. It never sees
the expected answer.
"""

from __future__ import annotations

import os
import sys
from typing import IO

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.inputs import make_inputs
from compat_tests.frames import read_frame, write_frame
from compat_tests.outcomes import Outcome, accepted, answered, raised
from compat_tests.subjects.registry import resolve
from compat_tests.subjects.subject import Subject


def run_call(subject: Subject, call: Case | IllegalCase) -> Outcome:
    """Makes one call and takes down what became of it, whatever it raises.

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
    try:
        description = subject.describe()
    except Exception as error:
        write_frame(replies, raised(error))
        return
    write_frame(replies, description)
    while True:
        try:
            call = read_frame(requests)
        except EOFError:
            return
        write_frame(replies, run_call(subject, call))


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
