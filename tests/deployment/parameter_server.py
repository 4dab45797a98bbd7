"""One process of a cluster with a parameter server; the chief prints losses, with and without it.

A program of its own for each role: `parameter_server.py ROLE CHIEF WORKER SERVER`, each of the
last three as "name:port".
"""

import json
import os
import sys

import keras
import numpy as np
import tensorflow as tf

import tf_tconv

ROLES = ("chief", "worker", "ps")
STEPS, RATE = 5, 0.1


def decoder():
    """The same in every call."""
    keras.utils.set_random_seed(0)
    up = tf_tconv.Conv2DTranspose(3, 3, strides=2, padding="same")
    return keras.Sequential([keras.Input((4, 5, 2)), up])


def training_step(model):
    """A function that trains once on the same batch, and returns the loss before."""
    random = np.random.default_rng(0)
    x = random.standard_normal((4, 4, 5, 2)).astype(np.float32)
    y = random.standard_normal((4, 8, 10, 3)).astype(np.float32)
    variables = [each.value for each in model.trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(RATE * gradient)
        return loss

    return step


if __name__ == "__main__":
    role, *addresses = sys.argv[1:]
    cluster = {name: [address] for name, address in zip(ROLES, addresses, strict=True)}
    task = {"type": role, "index": 0}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if role != "chief":
        tf.distribute.Server(
            resolver.cluster_spec(), job_name=role, task_index=0, protocol="grpc"
        ).join()
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        model = decoder()
    served = training_step(model)
    together = [float(coordinator.schedule(served).fetch()) for _ in range(STEPS)]
    alone = training_step(decoder())
    print(json.dumps({"alone": [float(alone()) for _ in range(STEPS)], "served": together}))
    sys.stdout.flush()
    os._exit(0)  # The coordinator's threads wait for a cluster that goes away.
