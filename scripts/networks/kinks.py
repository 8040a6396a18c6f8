"""How far PyTorch's float32 relevances are from float64's, and how much of it is ReLUs and maxima that decide otherwise.

    python3 kinks.py NAME [SEED …]

Needs what export.py needs. A line for each of the network's first layers and each seed of the two images: the largest difference of a relevance
over the layer's largest, and the same where float64 decides each ReLU and each maximum as float32 does; then how many of them decide otherwise.
"""

import copy
import sys

import torch
from torch.overrides import TorchFunctionMode

from export import SIDES, folded, network, relevances

RELU = (torch.relu, torch.nn.functional.relu, torch.nn.functional.relu_, torch.relu_)


class Decisions(TorchFunctionMode):
    """Notes which element each ReLU lets through and each maximum takes, or decides as it was noted."""

    def __init__(self, noted=None):
        super().__init__()
        self.noted, self.found, self.at = noted, [], 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if func in RELU:
            x = args[0]
            return x * self.decided((x > 0).detach())
        if "max_pool2d" in name:
            with torch._C.DisableTorchFunction():
                given = {key: value for key, value in kwargs.items() if key not in ("return_indices", "inplace")}
                indices = torch.nn.functional.max_pool2d_with_indices(*args, **given)[1]
            taken = self.decided(indices)
            return args[0].flatten(2).gather(2, taken.flatten(2)).reshape(taken.shape)
        return func(*args, **kwargs)

    def decided(self, own):
        self.found.append(own)
        self.at += 1
        return own if self.noted is None else self.noted[self.at - 1]


def main():
    torch.set_num_threads(1)
    name, *seeds = sys.argv[1:]
    side = SIDES.get(name, 64)
    for seed in map(int, seeds or ["2"]):
        images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(seed))
        model = folded(network(name), images)
        single = relevances(copy.deepcopy(model), images)
        double = relevances(copy.deepcopy(model).double(), images.double())
        with Decisions() as ours:
            relevances(copy.deepcopy(model), images)
        with Decisions() as exact:
            relevances(copy.deepcopy(model).double(), images.double())
        with Decisions(ours.found):
            alike = relevances(copy.deepcopy(model).double(), images.double())
        otherwise = sum(int((a != b).sum()) for a, b in zip(ours.found, exact.found))
        total = sum(a.numel() for a in ours.found)
        error = lambda a, b: abs(a - b).max() / abs(b).max()  # noqa: E731
        for layer in list(double)[:3]:
            print(f"{name}, seed {seed}, {layer}: {error(single[layer], double[layer]):.1e}, decided alike {error(single[layer], alike[layer]):.1e}", flush=True)
        worst = max(error(single[layer], double[layer]) for layer in double)
        print(f"{name}, seed {seed}: at most {worst:.1e} in any layer; {otherwise} of {total} decide otherwise", flush=True)


if __name__ == "__main__":
    main()
