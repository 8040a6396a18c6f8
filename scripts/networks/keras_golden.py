"""Writes the small networks of test/formats/golden/keras: every layer that is read, in the files of Keras 2 and Keras 3.

    python keras_golden.py 3 ../../test/formats/golden/keras [NAME ...]     (and 2; what to install: keras_applications.py)
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

generation, out, *wanted = sys.argv[1:]
if generation == "2":
    import tf_keras as keras
else:
    import keras
from keras_tfjs import write_tfjs

L = keras.layers
keras.utils.set_random_seed(7)
random = np.random.default_rng(7)
SLOPE = "negative_slope" if generation == "3" else "alpha"


def convolutions():
    x = image = L.Input((12, 11, 3), name="image")
    x = L.Rescaling(1 / 127.5, offset=-1.0, name="scaled")(x)
    x = L.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(x)
    x = L.BatchNormalization(name="bn")(x)
    x = L.ReLU(6.0, name="relu6")(x)
    y = L.Conv2D(6, 3, groups=2, padding="same", activation="silu" if generation == "3" else "swish", name="grouped")(x)
    x = L.Concatenate(name="both")([x, y])
    x = L.DepthwiseConv2D(3, dilation_rate=2, padding="same", name="depthwise")(x)
    x = L.LeakyReLU(name="leaky", **{SLOPE: 0.1})(x)
    x = L.SeparableConv2D(6, 3, strides=2, padding="same", depth_multiplier=2, activation="relu", name="separable")(x)
    x = L.Conv2DTranspose(5, 3, strides=2, padding="same", activation="elu", name="transposed")(x)
    x = L.Cropping2D(((1, 0), (0, 2)), name="cropped")(x)
    x = L.ZeroPadding2D(((1, 2), (0, 1)), name="padded")(x)
    x = L.Conv2D(6, 3, dilation_rate=2, name="dilated")(x)
    x = L.UpSampling2D(2, interpolation="bilinear", name="bilinear")(x)
    x = L.AveragePooling2D(3, strides=2, padding="same", name="average")(x)
    x = L.UpSampling2D((2, 1), name="nearest")(x)
    x = L.MaxPooling2D(2, padding="same", name="max")(x)
    x = L.PReLU(shared_axes=[1, 2], alpha_initializer="random_uniform", name="prelu")(x)
    x = L.GlobalAveragePooling2D(keepdims=True, name="pooled")(x)
    x = L.Conv2D(5, 1, activation="hard_sigmoid", name="gate")(x)
    x = L.Flatten(name="flat")(x)
    return keras.Model(image, L.Dense(4, activation="softmax", name="fc")(x), name="convolutions")


def normalisations():
    x = image = L.Input((8, 8, 4), name="image")
    x = L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 0.5, 0.25], name="normalised")(x)
    a = L.LayerNormalization(name="ln")(x)
    b = L.LayerNormalization(axis=[1, 2], center=False, name="ln_space")(x)
    c = L.GroupNormalization(2, name="gn")(x)
    d = L.BatchNormalization(axis=1, scale=False, name="bn_rows")(x)
    x = L.Add(name="sum")([a, b, c])
    x = L.Subtract(name="difference")([x, d])
    x = L.ReLU(negative_slope=0.2, max_value=2.0, threshold=0.1, name="relu")(x)
    x = L.Average(name="mean")([x, L.Activation("tanh", name="tanh")(a)])
    x = L.Maximum(name="most")([x, L.Activation("softsign", name="softsign")(b)])
    x = L.Minimum(name="least")([x, L.Activation("gelu", name="gelu")(c)])
    x = L.Multiply(name="product")([x, L.Activation("softplus", name="softplus")(d)])
    x = L.Permute((2, 1, 3), name="turned")(x)
    x = L.ELU(alpha=0.5, name="elu")(x)
    x = L.Dropout(0.5, name="dropout")(L.GaussianNoise(0.1, name="noise")(x))
    x = L.Dense(3, activation="selu", name="mixed")(x)
    x = L.Reshape((16, -1), name="reshaped")(x)
    x = L.Softmax(axis=1, name="attention")(x)
    x = L.Flatten(name="flat")(x)
    return keras.Model(image, L.Dense(3, name="fc")(x), name="normalisations")


def nested():
    """A model inside another, used twice; a layer used twice; arithmetic in Python; two outputs."""
    inner_in = L.Input((6, 6, 3), name="inner_image")
    y = L.Conv2D(3, 3, padding="same", activation="relu", name="conv")(inner_in)
    inner = keras.Model(inner_in, L.BatchNormalization(name="bn")(y), name="block")
    x = image = L.Input((6, 6, 3), name="image")
    shared = L.Conv2D(3, 1, name="shared")
    x = inner(shared(x * 0.5 + 0.1))
    x = inner(shared(x))
    tail = keras.Sequential([L.Conv2D(4, 3, name="conv"), L.GlobalMaxPooling2D(name="pool")], name="tail")
    x = tail(x)
    return keras.Model(image, [L.Dense(3, name="classes")(x), L.Dense(2, name="aside")(x)], name="nested")


def adapted():
    """A Normalization that was adapted to data: its moments are weights, and Keras 2 keeps a count beside them, of 64 bits."""
    x = image = L.Input((5, 5, 3), name="image")
    normalization = L.Normalization(name="normalization")
    normalization.adapt(random.uniform(0, 255, (8, 5, 5, 3)))
    x = L.GlobalMaxPooling2D(name="pool")(L.Conv2D(4, 3, name="conv")(normalization(x)))
    return keras.Model(image, L.Dense(3, name="fc")(x), name="adapted")


BUILDERS = {build.__name__: build for build in (convolutions, normalisations, nested, adapted)}
for build in [BUILDERS[name] for name in wanted or BUILDERS]:
    model = build()
    for weight in [] if build is adapted else model.weights:
        name = weight.name.split("/")[-1].split(":")[0]
        least = 0.5 if name in ("moving_variance", "variance") else -0.5
        weight.assign(random.uniform(least, 1.0, weight.shape).astype("float32"))
    raw = build in (convolutions, adapted)
    images = random.uniform(0, 255 if raw else 1, (2, *model.input_shape[1:])).astype("float32").round(3)
    outputs = model(images, training=False)
    folder = os.path.join(out, f"keras{generation}-{model.name}")
    os.makedirs(folder, exist_ok=True)
    model.save(os.path.join(folder, "model.h5"))
    model.save(os.path.join(folder, "model.keras"))
    write_tfjs(keras, model, folder)
    names = model.output_names if isinstance(outputs, (list, tuple)) else ["fc"]
    values = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    expected = {
        "keras": keras.__version__,
        "shape": list(images.shape),
        "input": [round(float(v), 3) for v in images.flatten()],
        "outputs": {n: [float(f"{v:.8g}") for v in np.asarray(o).flatten()] for n, o in zip(names, values)},
    }
    with open(os.path.join(folder, "expected.json"), "w") as file:
        json.dump(expected, file)
    print(folder, flush=True)
