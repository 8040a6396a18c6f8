"""The networks by name: torchvision's, and a restatement of the CIFAR networks with option-A shortcuts
(He et al. 2016, sections 3.3 and 4.2; names of akamaster/pytorch_resnet_cifar10)."""

import torch
import torchvision
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + shortcut)


class CifarResNet(nn.Module):
    def __init__(self, depth: int, classes: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks, inputs = (depth - 2) // 6, 16
        for stage, outputs in enumerate([16, 32, 64], start=1):
            layers = []
            for i in range(blocks):
                layers.append(Block(inputs, outputs, 2 if stage > 1 and i == 0 else 1))
                inputs = outputs
            self.add_module(f"layer{stage}", nn.Sequential(*layers))
        self.linear = nn.Linear(64, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(2, 3)))


CIFAR_DEPTHS = {f"resnet{depth}": depth for depth in (20, 32, 44, 56, 110)}


TIMM = ("mobilenetv2_100", "efficientnet_lite0", "tf_efficientnet_lite0")


def network(name: str, classes: int) -> nn.Module:
    if name in CIFAR_DEPTHS:
        return CifarResNet(CIFAR_DEPTHS[name], classes)
    if name in TIMM:
        import timm

        return timm.create_model(name, num_classes=classes)
    if name == "efficientnet-lite0":
        from efficientnet_lite_pytorch import EfficientNet

        return EfficientNet.from_name(name, num_classes=classes)
    if name == "googlenet":  # without the auxiliary heads; the range of its input is the preset's matter
        return torchvision.models.googlenet(num_classes=classes, aux_logits=False, init_weights=False)
    return torchvision.models.get_model(name, weights=None, num_classes=classes)


def input_size(name: str) -> int:
    return 32 if name in CIFAR_DEPTHS else 224
