"""Writes a ResNet-50 with random weights and batch-norm statistics into the folder given: resnet50.pth (zip archive),
resnet50.th (older stream), resnet50.safetensors where that package is installed, images.bin ([2, 224, 224, 3], float32) and
logits.json (float64 arithmetic)."""

import json
import sys
from pathlib import Path

import torch
from networks import network

folder = Path(sys.argv[1])
torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
model = network("resnet50", 1000).eval()
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        torch.nn.init.uniform_(module.weight, 0.2, 0.8)
        torch.nn.init.normal_(module.bias, 0, 0.2)
        module.running_mean.normal_(0, 0.2)
        module.running_var.uniform_(0.5, 1.5)
state = model.state_dict()
torch.save(state, folder / "resnet50.pth")
torch.save({"state_dict": state, "epoch": 1}, folder / "resnet50.th", _use_new_zipfile_serialization=False)
try:
    from safetensors.torch import save_file

    save_file(state, folder / "resnet50.safetensors", {"format": "pt"})
except ImportError:
    pass
images = torch.randn(2, 224, 224, 3)
images.numpy().tofile(folder / "images.bin")
with torch.no_grad():
    logits = model.double()(images.permute(0, 3, 1, 2).double())
(folder / "logits.json").write_text(json.dumps(logits.tolist()))
