"""Writes test/data/architectures.json: logits of PyTorch's networks with the formula's weights on the formula's images,
computed in float64.

Run by hand, with torch, torchvision, timm, efficientnet_lite_pytorch and numpy: python3 test/reference/torch/makeLogits.py
Names given as arguments are made anew, the others kept.
"""

import json
import sys
from pathlib import Path

import torch
from networks import input_size, network
from seeded import fill, images

CLASSES = 12
IMAGES = 2
NAMES = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2",
         "wide_resnet101_2", "resnext50_32x4d", "resnext101_32x8d",
         "resnet20", "resnet32", "resnet44", "resnet56", "resnet110",
         "alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
         "squeezenet1_0", "squeezenet1_1", "googlenet", "densenet121", "densenet161", "densenet169", "densenet201",
         "mobilenet_v2", "mobilenetv2_100", "mnasnet1_0", "efficientnet_lite0", "tf_efficientnet_lite0",
         "efficientnet-lite0"]  # fmt: skip

path = Path(__file__).parents[2] / "data" / "architectures.json"
golden = json.loads(path.read_text())["networks"] if len(sys.argv) > 1 else {}
with torch.no_grad():
    for name in sys.argv[1:] or NAMES:
        model = fill(network(name, CLASSES))
        logits = model(images(IMAGES, input_size(name)))
        exact = model.double()(images(IMAGES, input_size(name)).double())
        print(f"{name}: largest |logit| {logits.abs().max():.3g}, float32 error {(logits - exact).abs().max():.3g}")
        weights = {key: list(tensor.shape) for key, tensor in model.state_dict().items()}
        golden[name] = {
            "weights": len([key for key in weights if not key.endswith("num_batches_tracked")]),
            "logits": [[float(f"{value:.9g}") for value in row] for row in exact.tolist()],
        }

golden = {name: golden[name] for name in NAMES if name in golden}
path.write_text(json.dumps({"classes": CLASSES, "images": IMAGES, "networks": golden}, indent=1) + "\n")
