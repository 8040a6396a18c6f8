"""Writes test/data/checkpoints/: small files in every form that torch.save and safetensors give, and what they hold.

Run by hand, with torch, numpy and safetensors: python3 test/reference/torch/makeCheckpoints.py
"""

import argparse
import io
import json
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parents[2] / "data" / "checkpoints"
FOLDER.mkdir(exist_ok=True)


def tensors() -> OrderedDict:
    """Every type, and tensors that are views: transposed, cut, expanded, two of one storage."""
    base = torch.arange(40, dtype=torch.float32).reshape(5, 8) / 8
    shared = torch.linspace(-1, 1, 6)
    return OrderedDict(
        float32=torch.tensor([[0.1, -2.5, 3e-39], [65504.0, 1e30, -0.0]]),
        float64=torch.tensor([0.1, -1e-3, 2.0**40], dtype=torch.float64),
        float16=torch.tensor([0.1, 6e-8, -65504.0, 6.1e-5], dtype=torch.float16),
        bfloat16=torch.tensor([0.1, -3e38, 1e-39], dtype=torch.bfloat16),
        int64=torch.tensor([-(2**40), 7]),
        int32=torch.tensor([-(2**31), 5], dtype=torch.int32),
        int16=torch.tensor([-300, 300], dtype=torch.int16),
        int8=torch.tensor([-128, 127], dtype=torch.int8),
        uint8=torch.tensor([0, 255], dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        scalar=torch.tensor(3.25),
        empty=torch.zeros(0, 4),
        transposed=base.t()[1:4],
        cut=base[1:4, 1::3],
        channelsLast=torch.arange(48.0).reshape(2, 3, 2, 4).contiguous(memory_format=torch.channels_last),
        expanded=torch.tensor([1.5, 2.5]).expand(3, 2),
        **{"shared.whole": shared, "shared.end": shared[3:], "bn.num_batches_tracked": torch.tensor(11)},
    )


def trained() -> dict:
    """A training script's checkpoint: DataParallel's prefix, an optimizer with momentum, options, a NumPy scalar."""
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3))
    with torch.no_grad():
        for i, value in enumerate(model.state_dict().values()):
            value.copy_(torch.arange(value.numel()).reshape(value.shape) + i)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 2, 2, 2)).sum().backward()
    state = OrderedDict((f"module.{name}", tensor.clone()) for name, tensor in model.state_dict().items())
    state._metadata = model.state_dict()._metadata
    optimizer.step()
    return {
        "epoch": 90,
        "arch": "resnet",
        "state_dict": state,
        "best_acc1": torch.tensor(76.1),
        "best_prec1": np.float64(92.5),
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=0.1, sizes=(1, 2), names={"a"}),
        "losses": [0.5] * 3,
    }


def rewritten(data: bytes, change) -> bytes:
    """A zip archive with each (name, content) passed through `change`, stored uncompressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            target.writestr(zipfile.ZipInfo(info.filename), change(info.filename, source.read(info)))
    return out.getvalue()


def saved(value, **options) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def write(name: str, data: bytes, loads: bool = True) -> None:
    (FOLDER / name).write_bytes(data)
    if loads:  # what PyTorch itself cannot read back is no example
        torch.load(FOLDER / name, weights_only=False)


def describe(state: dict) -> dict:
    return {
        name: {"shape": list(t.shape), "values": t.double().flatten().tolist()}
        for name, t in state.items()
        if not name.endswith("num_batches_tracked")
    }


torch.manual_seed(0)
state = tensors()
write("tensors.pth", saved(state))
write("tensors-stream.pth", saved(state, _use_new_zipfile_serialization=False))
write("tensors-protocol4.pth", saved({"model_state_dict": dict(state)}, pickle_protocol=4))
write("parameters.pth", saved({name: torch.nn.Parameter(t) for name, t in state.items() if t.is_floating_point()}))
save_file({name: t.contiguous().clone() for name, t in state.items()}, FOLDER / "tensors.safetensors", {"format": "pt"})

floats = {name: t.contiguous().clone() for name, t in state.items() if t.dtype == torch.float32}


def swapped(name: str, content: bytes) -> bytes:
    if name.endswith("/byteorder"):
        return b"big"
    return np.frombuffer(content, "<f4").byteswap().tobytes() if "/data/" in name else content


write("big-endian.pth", rewritten(saved(floats), swapped))
for name, tensor in torch.load(FOLDER / "big-endian.pth").items():
    assert torch.equal(tensor, floats[name]), name

limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0  # all sizes and positions go to the 64-bit records
write("zip64.pth", rewritten(saved(floats), lambda name, content: content))
zipfile.ZIP64_LIMIT = limit

checkpoint = trained()
write("training.pth", saved(checkpoint))
write("training-stream.th", saved(checkpoint, _use_new_zipfile_serialization=False))
write("whole-model.pth", saved(torch.nn.Sequential(torch.nn.ReLU())))

state_dict = {name.removeprefix("module."): tensor for name, tensor in checkpoint["state_dict"].items()}
expected = {"tensors": describe(state), "floats": describe(floats), "training": describe(state_dict)}
(FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
