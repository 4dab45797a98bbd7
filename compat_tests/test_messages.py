"""Messages between processes arrive whole, or not at all."""

from __future__ import annotations

import io
import os
import threading
import unittest

import numpy as np

from compat_tests.messages import read_message, write_message


class Messages(unittest.TestCase):
    """Through memory and through a pipe."""

    def test_messages_arrive_in_order(self) -> None:
        stream = io.BytesIO()
        for message in ("first", {"second": 2}, None):
            write_message(stream, message)
        stream.seek(0)
        self.assertEqual([read_message(stream) for _ in range(3)], ["first", {"second": 2}, None])

    def test_array_larger_than_a_pipe_arrives_whole(self) -> None:
        array = np.arange(2**18, dtype=np.float64)
        reading, writing = os.pipe()
        with open(reading, "rb") as replies, open(writing, "wb") as requests:
            writer = threading.Thread(target=write_message, args=(requests, array))
            writer.start()
            found = read_message(replies)
            writer.join()
        np.testing.assert_array_equal(found, array)

    def test_stream_that_ends_inside_a_message_is_an_error(self) -> None:
        stream = io.BytesIO()
        write_message(stream, "a message")
        whole = stream.getvalue()
        for length in (0, 3, len(whole) - 1):
            with self.assertRaises(EOFError):
                read_message(io.BytesIO(whole[:length]))
