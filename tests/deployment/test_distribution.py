"""Training on several devices and in several processes: the curve and weights of one alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "distributed.py"
STEPS = 8

# Sums of gradients in another order: a few units in the last place of numbers below 1, a step each.
ROUNDING = STEPS * 4 * 2.0**-24

pytestmark = pytest.mark.slow

PATIENCE = 300
"""Seconds for a few steps of training, of which most is the start of TensorFlow on a busy core."""


def started(*command):
    """A process that is running."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    environment.pop("TF_CONFIG", None)
    # A server answers nobody while its one thread, which a single core has, waits for another.
    environment["TF_NUM_INTEROP_THREADS"] = "4"
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finished(process):
    """What a process printed, once it has ended well."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    assert process.returncode == 0, err[-3000:]
    return out


def free_ports(count):
    """Ports of this machine that nothing listens on."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_two_logical_devices_fit_as_one_does():
    program = Path(__file__).with_name("mirrored_fit.py")
    one, two = (json.loads(finished(started(program, n)).splitlines()[-1]) for n in (1, 2))
    assert (one["replicas"], two["replicas"]) == (1, 2)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=0, atol=ROUNDING)
    assert one["losses"][-1] < one["losses"][0]
    for a, b in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=ROUNDING)


def test_two_processes_train_as_one_does(tmp_path):
    files = [tmp_path / f"{name}.npz" for name in ("alone", "first", "second")]
    finished(started(SCRIPT, "--steps", STEPS, "--output", files[0]))
    hosts = [word for port in free_ports(2) for word in ("--host", f"localhost:{port}")]
    both = [
        started(SCRIPT, "--steps", STEPS, "--output", file, *hosts, "--index", index)
        for index, file in enumerate(files[1:])
    ]
    for process in both:
        finished(process)
    alone, first, second = map(np.load, files)
    assert len(alone["losses"]) == STEPS
    assert alone.files == first.files
    for name in alone.files:
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_allclose(first[name], alone[name], rtol=0, atol=ROUNDING)
    assert alone["losses"][-1] < alone["losses"][0]


def test_a_parameter_server_keeps_the_weights():
    program = Path(__file__).with_name("parameter_server.py")
    addresses = [f"localhost:{port}" for port in free_ports(3)]
    others = [started(program, role, *addresses) for role in ("worker", "ps")]
    try:
        told = json.loads(finished(started(program, "chief", *addresses)).splitlines()[-1])
    finally:
        for process in others:  # They serve until somebody ends them.
            process.kill()
            process.communicate()
    np.testing.assert_allclose(told["served"], told["alone"], rtol=0, atol=ROUNDING)
    assert told["alone"][-1] < told["alone"][0]


def test_an_index_without_a_host():
    process = started(SCRIPT, "--host", "localhost:1", "--index", 1)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "there are 1 hosts" in error
