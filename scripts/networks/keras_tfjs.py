"""A Keras model as a tfjs LayersModel, as the official converter writes it (which is hard to install today)."""
import json
import os

import numpy as np


def write_tfjs(keras, model, folder, quantized=None):
    """model.json and group1-shard1of1.bin; quantized: None, 'float16', 'uint16' or 'uint8' (affine, an array at a time)."""
    os.makedirs(folder, exist_ok=True)
    entries, parts = [], []
    for weight in model.weights:
        name = (getattr(weight, "path", None) or weight.name).split(":")[0]
        value = np.asarray(weight.numpy(), dtype="<f4")
        entry = {"name": name, "shape": list(value.shape), "dtype": "float32"}
        if quantized == "float16":
            value = value.astype("<f2")
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        elif quantized:
            least, most = float(value.min()), float(value.max())
            scale = (most - least) / (np.iinfo(quantized).max or 1) or 1.0
            value = np.round((value - least) / scale).astype(f"<{np.dtype(quantized).str[1:]}")
            entry["quantization"] = {"dtype": quantized, "scale": scale, "min": least, "original_dtype": "float32"}
        entries.append(entry)
        parts.append(value.tobytes())
    with open(os.path.join(folder, "group1-shard1of1.bin"), "wb") as file:
        file.write(b"".join(parts))
    version = keras.__version__
    description = {
        "format": "layers-model",
        "generatedBy": f"keras v{version}",
        "modelTopology": {
            "keras_version": version,
            "backend": "tensorflow",
            "model_config": json.loads(model.to_json()),
        },
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": entries}],
    }
    with open(os.path.join(folder, "model.json"), "w") as file:
        json.dump(description, file)
