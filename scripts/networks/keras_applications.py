"""Exports Keras applications with random weights in every format that Keras writes, with their logits for two random images.

    python keras_applications.py 3 OUT [NAME ...]      (Keras 3: pip install tensorflow-cpu)
    python keras_applications.py 2 OUT [NAME ...]      (Keras 2: pip install tensorflow-cpu tf-keras)

OUT/<generation>-<name>/ gets model.h5, model.keras, tfjs/ (model.json, a weight file) and expected.json {shape, input, logits},
and relevances.json: what a gradient tape around the whole network makes of each layer, {labels, layers: {name: base64 of float32
[2, Cout], Σ over positions of Z · ∂y_label/∂Z}}. What is there already is not written again.
"""
import base64
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

generation, out, *wanted = sys.argv[1:]
if generation == "2":
    import tf_keras as keras
else:
    import keras

from keras_tfjs import write_tfjs

applications = keras.applications
# Size of the images, as small as the network allows; whether it begins with its own preprocessing.
NETWORKS = {
    "MobileNet": (64, False),
    "MobileNetV2": (64, False),
    "MobileNetV3Small": (64, True),
    "MobileNetV3Large": (64, True),
    "ResNet50": (64, False),
    "ResNet50V2": (64, False),
    "DenseNet121": (64, False),
    "EfficientNetB0": (64, True),
    "Xception": (75, False),
    "InceptionV3": (75, False),
    "VGG16": (32, False),
    "NASNetMobile": (96, False),
}


def randomised(model, random):
    """Batch norms with statistics of their own: fresh ones are nearly the identity."""
    for layer in model.layers:
        if layer.__class__.__name__ == "BatchNormalization":
            scale = [1 + 0.1 * random.standard_normal(w.shape) for w in layer.get_weights()]
            names = [w.name.split("/")[-1].split(":")[0] for w in layer.weights]
            layer.set_weights(
                [s if name in ("gamma", "moving_variance") else s - 1 for s, name in zip(scale, names)]
            )


LABELS = [3, 7]


def relevances(model, images):
    """Per convolution and dense layer: Σ over positions of Z · ∂y/∂Z, [B, Cout], y the logit of the image's label."""
    # A layer's output is Z, or relu(Z), for which the product is the same; behind another activation Z is not at hand.
    linear = ("Conv2D", "SeparableConv2D", "Dense")
    layers = [
        layer for layer in model.layers
        if layer.__class__.__name__ in linear and layer.activation.__name__ in ("linear", "relu")
    ]
    watched = keras.Model(model.inputs, [*(layer.output for layer in layers), model.outputs[0]])
    with tf.GradientTape() as tape:
        given = tf.constant(images)
        tape.watch(given)
        *outputs, logits = watched(given, training=False)
        chosen = sum(logits[image, label] for image, label in enumerate(LABELS))
    found = {}
    for layer, z, gradient in zip(layers, outputs, tape.gradient(chosen, outputs)):
        products = (z * gradient).numpy()
        found[layer.name] = products.reshape(len(LABELS), -1, products.shape[-1]).sum(1)
    return found


def as_float32(values):
    return base64.b64encode(np.ascontiguousarray(values, dtype="float32").tobytes()).decode()


def write(name, folder):
    size, raw = NETWORKS[name]
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    model = getattr(applications, name)(
        weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None
    )
    randomised(model, random)
    images = random.uniform(0, 255, (2, size, size, 3)) if raw else random.uniform(-1, 1, (2, size, size, 3))
    images = images.astype("float32")
    logits = np.asarray(model(images, training=False))
    os.makedirs(folder, exist_ok=True)
    model.save(os.path.join(folder, "model.h5"))
    model.save(os.path.join(folder, "model.keras"))
    write_tfjs(keras, model, os.path.join(folder, "tfjs"))
    with open(os.path.join(folder, "expected.json"), "w") as file:
        expected = {
            "keras": keras.__version__,
            "shape": list(images.shape),
            "input": [float(v) for v in images.flatten()],
            "logits": [float(v) for v in logits.flatten()],
        }
        json.dump(expected, file)
    print(name, "written", flush=True)


for name in wanted or NETWORKS:
    folder = os.path.join(out, f"{generation}-{name}")
    if not os.path.exists(os.path.join(folder, "expected.json")):
        write(name, folder)
    if not os.path.exists(os.path.join(folder, "relevances.json")):
        with open(os.path.join(folder, "expected.json")) as file:
            expected = json.load(file)
        images = np.array(expected["input"], dtype="float32").reshape(expected["shape"])
        found = relevances(keras.models.load_model(os.path.join(folder, "model.keras"), compile=False), images)
        with open(os.path.join(folder, "relevances.json"), "w") as file:
            json.dump({"labels": LABELS, "layers": {layer: as_float32(values) for layer, values in found.items()}}, file)
        print(name, "relevances of", len(found), "layers", flush=True)
    keras.backend.clear_session()
