"""One worker process, seen from the judging side: calls go in, outcomes and deaths come out."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compat_tests.cases.case import Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.messages import read_message, write_message
from compat_tests.outcomes import SIGNAL, Died, Outcome, Raised, TimedOut, cause
from compat_tests.subjects.registry import resolve, split

ROOT = Path(__file__).resolve().parent.parent
"""The directory that holds the `compat_tests` package."""

START_SECONDS = 180.0
"""A framework may take long to load on a busy machine."""

LAST_WORDS = re.compile(r"Check failed|Fatal|terminate called|what\(\):|Assertion|bad_alloc")
"""What a line on standard error has to hold to be the reason for a signal."""


class CannotStart(Exception):
    """The worker did not get as far as taking calls; the message says why."""


class NotInstalled(CannotStart):
    """The implementation is not installed."""


class WorkerProcess:
    """A worker with one subject in it.

    Attributes:
        alive: False once a call has cost the process its life.
    """

    def __init__(self, subject: str, timeout: float, memory: int) -> None:
        """Starts the process; `load` waits until it takes calls.

        Args:
            subject: the subject's name, with the Python that it runs in if it is another.
            timeout: seconds allowed for a call.
            memory: bytes that the process may take.
        """
        name, python = split(subject)
        self._timeout = timeout
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            self._process = subprocess.Popen(
                [python or sys.executable, "-m", "compat_tests.worker", name, str(memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment(resolve(subject).environment()),
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise CannotStart(f"{python or sys.executable} can't be run: {error}") from None
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self.alive = True
        self._said_before = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def load(self) -> dict[str, str]:
        """Waits until the worker has loaded its framework; to be called once, before `ask`.

        Returns:
            Versions and settings, as the subject tells them.

        Raises:
            NotInstalled: if the implementation is not there.
            CannotStart: if the worker dies or fails on the way.
        """
        first = self._reply(START_SECONDS)
        if isinstance(first, dict):
            return first
        self.close()
        if isinstance(first, Died):
            raise CannotStart(f"{first.cause} while loading: {first.last_words}")
        if isinstance(first, TimedOut):
            raise CannotStart(f"not loaded within {first.seconds:g} s")
        assert isinstance(first, Raised)
        if {"Absent", "ModuleNotFoundError"} & set(first.bases):
            raise NotInstalled(first.message)
        raise CannotStart(f"{first.kind}: {first.message}")

    def ask(self, call: Case | IllegalCase) -> Outcome:
        """Makes one call.

        Args:
            call: a legal or an illegal call.

        Returns:
            What became of it; after `Died` or `TimedOut` the worker is gone.
        """
        assert self._process.stdin is not None
        self._said_before = self._errors.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError):  # if the process is dead, the reply tells of what
            write_message(self._process.stdin, call)
        outcome: Outcome = self._reply(self._timeout)
        return outcome

    def kill(self) -> None:
        """Ends the process, whatever it is doing; a thread that waits for its reply gets `Died`."""
        if hasattr(os, "killpg"):  # the session of its own: the process and its child
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def close(self) -> None:
        """Ends the process and lets go of its pipes; no call may follow."""
        self.alive = False
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(OSError):  # a call was never read and can't be flushed
                    stream.close()

    def _reply(self, seconds: float) -> Any:
        """The next message; or `Died` or `TimedOut`, and then the process is gone."""
        try:
            reply = self._replies.get(timeout=seconds)
        except queue.Empty:
            self.close()
            return TimedOut(seconds)
        if isinstance(reply, Died):  # it has another child by now, and goes on
            return Died(reply.cause, self._last_words(reply.cause))
        if reply is not None:
            return reply
        self._process.wait()
        ended = cause(self._process.returncode)
        died = Died(ended, self._last_words(ended))
        self.close()
        return died

    def _read(self) -> None:
        """Passes on messages until the pipe ends, and then None. Runs in a thread of its own."""
        assert self._process.stdout is not None
        try:
            while True:
                self._replies.put(read_message(self._process.stdout))
        except Exception:  # the pipe ended, was closed, or holds a broken message
            self._replies.put(None)

    def _last_words(self, ended: str) -> str:
        """The reason for a signal, or the last line before an exit, without the log's prefix."""
        end = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(self._said_before, end - 65536))
        lines = self._errors.read().decode(errors="replace").splitlines()
        telling = [line.strip() for line in lines if LAST_WORDS.search(line)]
        if not telling and not ended.startswith(SIGNAL):
            telling = [line.strip() for line in lines if line.strip()]
        return re.sub(r"^[IWEF]\d{4} .*?\] ", "", telling[-1]) if telling else ""


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: this one, the modules of this one, and what the subject wants.

    Args:
        extra: what the subject wants.

    Returns:
        All variables.
    """
    paths = [str(ROOT), os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path for path in paths if path)),
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        **extra,
    }
