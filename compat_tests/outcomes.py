"""What can become of a call, as values that pass between processes without any framework."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import numpy as np

from compat_tests.cases.case import Part
from compat_tests.oracle import Array
from compat_tests.subjects.subject import Answer

SIGNAL = "signal"
"""How the cause begins where a signal ended the process."""

_TENSORFLOW_NAMES = {"float16": "half"}


@dataclass(frozen=True)
class Answered:
    """The call returned arrays.

    Attributes:
        arrays: by name, those of the case's parts; int64 or float64, which hold any value exactly.
        dtypes: the types that they had, by TensorFlow's names.
    """

    arrays: dict[Part, Array]
    dtypes: dict[Part, str]


@dataclass(frozen=True)
class Accepted:
    """An illegal call returned something.

    Attributes:
        what: type and shape of it, for a reader.
    """

    what: str


@dataclass(frozen=True)
class Raised:
    """The call raised.

    Attributes:
        kind: name of the exception's class.
        bases: names of all classes that it is an instance of.
        message: its text.
    """

    kind: str
    bases: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Died:
    """The process died of the call.

    Attributes:
        cause: the signal or the exit code, for a reader.
        last_words: the end of what it wrote to its standard error.
    """

    cause: str
    last_words: str = ""


@dataclass(frozen=True)
class TimedOut:
    """The call did not return in time, and its process was killed.

    Attributes:
        seconds: the time limit.
    """

    seconds: float


Outcome = Answered | Accepted | Raised | Died | TimedOut


def answered(answer: Answer) -> Answered:
    """Records an answer, with every value kept to the last bit.

    Args:
        answer: result arrays by name, of any numeric type.

    Returns:
        The same numbers in int64 or float64, with the names of the types they came in.
    """
    arrays: dict[Part, Array] = {}
    dtypes: dict[Part, str] = {}
    for name, value in answer.items():
        array = np.asarray(value)
        arrays[name] = array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)
        dtypes[name] = _TENSORFLOW_NAMES.get(array.dtype.name, array.dtype.name)
    return Answered(arrays, dtypes)


def accepted(result: object) -> Accepted:
    """Records what an illegal call returned."""
    shape = getattr(result, "shape", None)
    return Accepted(type(result).__name__ + ("" if shape is None else f" of shape {shape}"))


def raised(error: BaseException) -> Raised:
    """Records an exception."""
    bases = tuple(base.__name__ for base in type(error).__mro__)
    return Raised(type(error).__name__, bases, str(error))


def cause(code: int) -> str:
    """What a return code says, for a reader."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"{SIGNAL} {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"{SIGNAL} {-code}"
