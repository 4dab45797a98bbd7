"""Trains FSRCNN over several machines with TensorFlow's own `tf.distribute`.

On two machines, start the same command on each, with its own number:

    python examples/distributed.py --host 10.0.0.1:2222 --host 10.0.0.2:2222 --index 0
    python examples/distributed.py --host 10.0.0.1:2222 --host 10.0.0.2:2222 --index 1

To try it on one machine, open two shells and give `--host localhost:2222 --host localhost:2223`.
With one host, or none, it runs alone. Every process sees the whole batch of each step and takes its
own part of it, so that the losses and weights are those of one process up to the order of sums.

Keras 3 has no `fit` for `MultiWorkerMirroredStrategy`: the step is a loop of our own, around
`strategy.run`. Gradients are added up by `all_reduce`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

app = typer.Typer(add_completion=False)

BATCH, SIZE, FACTOR = 8, 16, 3
RATE = 0.05


def join(hosts: Sequence[str], index: int) -> Any:
    """The strategy of one of several processes; to be called before anything else of TensorFlow.

    Args:
        hosts: "name:port" of every process, the same list in all of them.
        index: which of them this one is.
    """
    if len(hosts) > 1:
        task = {"type": "worker", "index": index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": list(hosts)}, "task": task})
    import tensorflow as tf

    if len(hosts) < 2:
        return tf.distribute.get_strategy()
    return tf.distribute.MultiWorkerMirroredStrategy()


def pictures(step: int) -> tuple[Any, Any]:
    """The whole batch of a step: small pictures and large ones, smooth waves drawn at random."""
    random = np.random.default_rng(step)
    cells = np.arange(SIZE * FACTOR) / (SIZE * FACTOR)
    shape = (BATCH, 1, 1)
    across, down = random.uniform(1, 6, shape), random.uniform(1, 6, shape)
    large = np.sin(across * cells[:, None] * 2 + down * cells[None, :] * 2)[..., None]
    small = large.reshape(BATCH, SIZE, FACTOR, SIZE, FACTOR, 1).mean((2, 4))
    return small.astype(np.float32), large.astype(np.float32)


def own_part(array: Any, count: int, index: int) -> Any:
    """The part of a batch that one of `count` processes takes."""
    return np.array_split(array, count)[index]


def train(strategy: Any, count: int, index: int, steps: int) -> tuple[list[float], list[Any]]:
    """Trains from the same start in every process.

    Args:
        strategy: as `join` gives it.
        count: the number of processes.
        index: which of them this one is.
        steps: to train.

    Returns:
        The loss of the whole batch at each step, and the weights.

    Raises:
        ValueError: a process has several devices to compute on.
    """
    import keras
    import tensorflow as tf
    from decoders import fsrcnn

    import tf_tconv

    if strategy.num_replicas_in_sync != count:
        raise ValueError(
            f"{count} processes have {strategy.num_replicas_in_sync} devices; each must have one: "
            "start one for each, with CUDA_VISIBLE_DEVICES."
        )
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = tf_tconv.convert_model(fsrcnn(0.25, SIZE, FACTOR), verify=False)
        variables = [each.value for each in model.trainable_variables]

    def step(small: Any, large: Any) -> Any:
        with tf.GradientTape() as tape:
            squares = tf.reduce_sum(tf.square(model(small, training=True) - large))
            loss = squares / (BATCH * (SIZE * FACTOR) ** 2)  # Of the whole batch.
        context = tf.distribute.get_replica_context()
        gradients = tape.gradient(loss, variables)
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(RATE * gradient)
        return loss

    @tf.function
    def run(small: Any, large: Any) -> Any:
        losses = strategy.run(step, args=(small, large))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    curve = []
    for number in range(steps):
        small, large = (own_part(array, count, index) for array in pictures(number))
        curve.append(float(run(tf.constant(small), tf.constant(large))))
    return curve, model.get_weights()


@app.command()
def main(
    host: Annotated[list[str] | None, typer.Option(help="name:port of every process.")] = None,
    index: Annotated[int, typer.Option(min=0, help="Which of them this one is.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="To train.")] = 10,
    output: Annotated[Path | None, typer.Option(help="A .npz for losses and weights.")] = None,
) -> None:
    """Trains FSRCNN, alone or as one of several processes."""
    hosts = host or []
    if hosts and index >= len(hosts):
        raise typer.BadParameter(f"--index={index}: there are {len(hosts)} hosts, from 0.")
    strategy = join(hosts, index)
    curve, weights = train(strategy, max(len(hosts), 1), index, steps)
    for number, loss in enumerate(curve):
        typer.echo(f"step {number}: loss {loss:.6f}")
    if output:
        arrays = {f"weight_{position}": array for position, array in enumerate(weights)}
        np.savez(output, losses=curve, **arrays)


if __name__ == "__main__":
    app()
