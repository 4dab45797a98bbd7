"""Trains a small decoder by `model.fit` on so many logical devices; prints losses and weights.

A program of its own, as TensorFlow divides the processor before it does anything else.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

import tf_tconv

DEVICES = int(sys.argv[1])

if __name__ == "__main__":
    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * DEVICES
    tf.config.set_logical_device_configuration(cpu, parts)
    if DEVICES > 1:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(DEVICES)])
    else:
        strategy = tf.distribute.get_strategy()
    random = np.random.default_rng(0)
    x = random.standard_normal((16, 4, 4, 6)).astype(np.float32)
    y = random.standard_normal((16, 16, 16, 1)).astype(np.float32)
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                tf_tconv.Conv2DTranspose(8, 4, strides=2, padding="same", activation="relu"),
                tf_tconv.Conv2DTranspose(1, 3, strides=2, padding="same"),
            ]
        )
        model.compile(keras.optimizers.SGD(0.05), keras.losses.MeanSquaredError())
    history = model.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0)
    weights = [each.tolist() for each in model.get_weights()]
    told = {"replicas": strategy.num_replicas_in_sync, "losses": history.history["loss"]}
    print(json.dumps({**told, "weights": weights}))
