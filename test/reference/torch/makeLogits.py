"""Writes test/data/architectures.json: logits of PyTorch's networks with the formula's weights on the formula's images,
computed in float64.

Run by hand, with torch, torchvision and numpy: python3 test/reference/torch/makeLogits.py
"""

import json
from pathlib import Path

import torch
from networks import input_size, network
from seeded import fill, images

CLASSES = 12
IMAGES = 2
NAMES = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2",
         "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"]  # fmt: skip

golden = {}
with torch.no_grad():
    for name in NAMES:
        model = fill(network(name, CLASSES))
        logits = model(images(IMAGES, input_size(name)))
        exact = model.double()(images(IMAGES, input_size(name)).double())
        print(f"{name}: largest |logit| {logits.abs().max():.3g}, float32 error {(logits - exact).abs().max():.3g}")
        weights = {key: list(tensor.shape) for key, tensor in model.state_dict().items()}
        golden[name] = {
            "weights": len([key for key in weights if not key.endswith("num_batches_tracked")]),
            "logits": [[float(f"{value:.9g}") for value in row] for row in exact.tolist()],
        }

path = Path(__file__).parents[2] / "data" / "architectures.json"
path.write_text(json.dumps({"classes": CLASSES, "images": IMAGES, "networks": golden}, indent=1) + "\n")
