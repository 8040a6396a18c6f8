"""Divides a channel of the CIFAR ResNet-20 with the code of docs/pytorch.md; prints how far the logits and the sum of the parts are off, relative to
the largest. Arguments: the checkpoint, the split, and further splits, which are put in before it."""

import re
import sys
from pathlib import Path

import torch
from networks import network

page = (Path(__file__).parents[3] / "docs" / "pytorch.md").read_text()
exec(re.findall(r"```python\n(.*?)```", page, re.S)[0])

state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)["state_dict"]
model = network("resnet20", 10)
model.load_state_dict({name.removeprefix("module."): tensor for name, tensor in state.items()}, strict=False)
model.eval()
torch.manual_seed(0)
images = torch.randn(16, 3, 32, 32)
with torch.no_grad():
    seen = {}
    model.layer3[2].conv2.register_forward_hook(lambda module, inputs, output: seen.update(z=output, x=inputs[0]))
    before = model(images)
    for other in sys.argv[3:]:
        divide(model, other)  # noqa: F821 (from the page)
    divided = divide(model, sys.argv[2])  # noqa: F821
    after = model(images)
    parts = divided.parts(seen["x"])
    merged = torch.einsum("k,bk...->b...", divided.merge, parts)
    channel = seen["z"][:, divided.channel]
print((after - before).abs().max().item() / before.abs().max().item())
print((merged - channel).abs().max().item() / channel.abs().max().item())
print(list(parts.shape))
