"""Numbers from a formula, the same here and in test/reference/seededWeights.ts, so that large networks need no large files.

Item i of the array called `name` is hash(fnv1a(name) + i) / 2^24 in [0, 1): exact in float32 and in both languages.
"""

import math

import numpy as np
import torch


def unit(name: str, size: int) -> np.ndarray:
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        x = np.uint32(seed) + np.arange(size, dtype=np.uint32) * np.uint32(0x9E3779B9)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float64) / 2**24


def between(name: str, shape, low: float, high: float) -> torch.Tensor:
    size = math.prod(shape)
    return torch.from_numpy((low + (high - low) * unit(name, size)).astype(np.float32).reshape(shape))


def fill(model: torch.nn.Module) -> torch.nn.Module:
    """Sets every weight: kernels as He et al. 2015 scale them, batch norm with statistics that are not 0 and 1.

    Its scale is below 1, so that a hundred residual blocks do not overflow.
    """
    state = model.state_dict()
    for name, tensor in state.items():
        shape = tuple(tensor.shape)
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            tensor.copy_(between(name, shape, 0.5, 1.5))
        elif len(shape) == 1:
            low = 0.25 if name.endswith("weight") else -0.25
            tensor.copy_(between(name, shape, low, low + 0.5))
        else:
            bound = math.sqrt(6 / math.prod(shape[1:]))
            tensor.copy_(between(name, shape, -bound, bound))
    return model.eval()


def images(count: int, size: int) -> torch.Tensor:
    """[count, 3, size, size], from the formula's [count, size, size, 3]."""
    return between("images", (count, size, size, 3), -2.0, 2.0).permute(0, 3, 1, 2).contiguous()
