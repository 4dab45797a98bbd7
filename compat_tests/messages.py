"""Messages between processes: pickled, each with its length in front.

They go through a worker's standard pipes, which `subprocess` makes on every system.
`multiprocessing.connection` does not serve: from a pipe it makes a connection on Unix only, and its
`close` does not wait for a thread that reads.
"""

from __future__ import annotations

import pickle
import struct
from typing import IO, Any

_LENGTH = struct.Struct("!Q")


def write_message(stream: IO[bytes], message: object) -> None:
    """Writes one message and flushes.

    Args:
        stream: a binary stream.
        message: anything that can be pickled.
    """
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_message(stream: IO[bytes]) -> Any:
    """Reads one message.

    Args:
        stream: a binary stream that blocks.

    Returns:
        The message.

    Raises:
        EOFError: if the stream ends before the message does.
    """
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return pickle.loads(_read(stream, length))


def _read(stream: IO[bytes], size: int) -> bytes:
    """Reads exactly so many bytes."""
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise EOFError("the stream ended inside a message")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
