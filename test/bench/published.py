"""What PyTorch takes, for test/bench/torch.ts: a command a line on stdin, its answer a line on stdout, times in milliseconds.

forward: networks with random weights, in PyTorch's default layout or channels-last.
attribution, vectors: the procedure of Hesse et al. 2025 on image files: for every image a forward pass and a backward pass to the image, and for each
(channel, class) pair a forward pass over the images of the class; decoded with Pillow each time, as the published code does.
"""

import json
import sys
import time

import torch
import torchvision
from PIL import Image
from torch import nn

BATCH = 16


def conv(inputs, outputs, size, stride, groups=1):
    layer = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU6())


def mobilenet():
    """MobileNet v1 with 0.75 of its channels (Howard et al. 2017, table 1)."""
    layers, inputs = [conv(3, 24, 3, 2)], 24
    for outputs, stride in [(48, 1), (96, 2), (96, 1), (192, 2), (192, 1), (384, 2), *[(384, 1)] * 5, (768, 2), (768, 1)]:
        layers += [conv(inputs, inputs, 3, stride, inputs), conv(inputs, outputs, 1, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000))


MAKE = {"mobilenet": mobilenet, "resnet50": lambda: torchvision.models.resnet50(weights=None)}
made = {}


def network(name):
    if name not in made:
        made[name] = MAKE[name]().eval().requires_grad_(False)
    return made[name]


def timed(work):
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall": 1000 * (time.perf_counter() - wall), "processor": 1000 * (time.process_time() - processor)}


def forward(name, images, layout):
    layout = {"default": torch.contiguous_format, "channels-last": torch.channels_last}[layout]
    model = network(name).to(memory_format=layout)
    x = torch.zeros(BATCH, 3, 224, 224).to(memory_format=layout)

    def work():
        with torch.inference_mode():
            for _ in range(-(-images // BATCH)):
                model(x)

    return timed(work)


prepare = torchvision.transforms.Compose(
    [
        torchvision.transforms.Resize(256),
        torchvision.transforms.CenterCrop(224),
        torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize([0.5] * 3, [0.5] * 3),
    ]
)


def batches(files):
    for first in range(0, len(files), BATCH):
        yield torch.stack([prepare(Image.open(file).convert("RGB")) for file in files[first : first + BATCH]]).to(
            memory_format=torch.channels_last
        )


def attribution(classes):
    """Relevances of a layer's channels for every image. classes: files of each."""
    model, kept, hook = hooked()
    files = [(file, k) for k, own in enumerate(classes) for file in own]

    def work():
        for at, x in enumerate(batches([file for file, _ in files])):
            labels = torch.tensor([k for _, k in files[at * BATCH : at * BATCH + len(x)]])
            x.requires_grad_(True)
            logits = model(x)
            kept["z"].retain_grad()
            logits.gather(1, labels[:, None]).sum().backward()
            (kept["z"] * kept["z"].grad).sum((2, 3))

    answer = timed(work)
    hook.remove()
    return answer


def vectors(classes, first, last):
    """Activation relevance vectors of the (channel, class) pairs with these numbers."""
    model, kept, hook = hooked()
    weight = model[-4][0].weight

    def work():
        with torch.inference_mode():
            for pair in range(first, last):
                for x in batches(classes[pair % len(classes)]):
                    model(x)
                    (kept["x"].sum((2, 3)) * weight[pair % 768, :, 0, 0]).mean(0)

    answer = timed(work)
    hook.remove()
    return answer


def hooked():
    """MobileNet with input and output of its last convolution kept as it runs."""
    model = network("mobilenet").to(memory_format=torch.channels_last)
    kept = {}
    hook = model[-4][0].register_forward_hook(lambda _, given, z: kept.update(x=given[0], z=z))
    return model, kept, hook


COMMANDS = {"forward": forward, "attribution": attribution, "vectors": vectors}
print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    print(json.dumps(COMMANDS[command.pop("do")](**command)), flush=True)
