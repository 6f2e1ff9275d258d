"""Trains the MNIST ConvNet of the gallery and writes mnist.keras beside this script.

    pip install tensorflow-cpu numpy && python train_mnist.py FOLDER_WITH_THE_FOUR_IDX_FILES

The architecture is the four-convolution network of many Kaggle notebooks. Nobody needs to run this to use
Phosphene: mnist.keras is committed. mnist.md says what it reached.
"""

import gzip
import json
import pathlib
import sys

import keras
import numpy as np
from keras import layers

SEED = 20
EPOCHS = 14
BATCH = 128


def idx(path: pathlib.Path) -> np.ndarray:
    data = gzip.decompress(path.read_bytes())
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def network() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="picture"),
            layers.Conv2D(32, 3, activation="relu", name="conv2d_1"),
            layers.Conv2D(32, 3, activation="relu", name="conv2d_2"),
            layers.MaxPooling2D(2, name="max_pooling2d_1"),
            layers.Dropout(0.25, name="dropout_1"),
            layers.Conv2D(64, 3, activation="relu", name="conv2d_3"),
            layers.Conv2D(64, 3, activation="relu", name="conv2d_4"),
            layers.MaxPooling2D(2, name="max_pooling2d_2"),
            layers.Dropout(0.25, name="dropout_2"),
            layers.Flatten(name="flatten_1"),
            layers.Dense(256, activation="relu", name="dense_1"),
            layers.Dropout(0.5, name="dropout_3"),
            layers.Dense(128, activation="relu", name="dense_2"),
            layers.Dropout(0.5, name="dropout_4"),
            layers.Dense(10, activation="softmax", name="dense_3"),
        ],
        name="mnist",
    )


def main() -> None:
    here = pathlib.Path(__file__).parent
    data = pathlib.Path(sys.argv[1])
    keras.utils.set_random_seed(SEED)
    x = idx(data / "train-images-idx3-ubyte.gz")[..., None].astype("float32") / 255
    y = idx(data / "train-labels-idx1-ubyte.gz")
    x_test = idx(data / "t10k-images-idx3-ubyte.gz")[..., None].astype("float32") / 255
    y_test = idx(data / "t10k-labels-idx1-ubyte.gz")

    # The notebooks' augmentation: small rotations, shifts and zooms, no flips.
    augment = keras.Sequential(
        [
            layers.RandomRotation(10 / 360, fill_mode="constant", seed=SEED),
            layers.RandomTranslation(0.08, 0.08, fill_mode="constant", seed=SEED + 1),
            layers.RandomZoom(0.1, fill_mode="constant", seed=SEED + 2),
        ]
    )
    import tensorflow as tf

    train = (
        tf.data.Dataset.from_tensor_slices((x, y))
        .shuffle(len(x), seed=SEED)
        .batch(BATCH)
        .map(lambda a, b: (augment(a, training=True), b), num_parallel_calls=2)
        .prefetch(4)
    )
    model = network()
    steps = EPOCHS * -(-len(x) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(train, epochs=EPOCHS, verbose=2)
    loss, accuracy = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
    # Without the optimizer's moments the file is a third of the size.
    model.optimizer = None
    model.save(here / "mnist.keras")
    print(json.dumps({"test_accuracy": float(accuracy), "test_loss": float(loss), "keras": keras.__version__}))


if __name__ == "__main__":
    main()
