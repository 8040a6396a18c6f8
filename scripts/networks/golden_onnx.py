"""Writes the small networks that test/formats/onnx.test.ts reads, and what onnxruntime computes for two images.

    python3 scripts/networks/golden_onnx.py [FOLDER]

Needs torch, onnx, onnxscript, onnxruntime. Each network is a few blocks of one kind with random weights and few channels. FOLDER
(default test/formats/golden/onnx) gets NAME.EXPORTER.onnx and golden.json: {shape, image: base64 of [2, H, W, 3] float32, logits: {file: [[…], […]]}}.
"""

import base64
import json
import pathlib
import sys
import warnings

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
SIDE = 12


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(nn.Conv2d(6, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = F.relu(x + self.layer1(x))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Branches(nn.Module):
    """Pooling in all its forms, concatenation."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, (1, 3), padding=(0, 1)), nn.Conv2d(3, 4, 3, dilation=2, padding=2)
        self.final = nn.Conv2d(14, 5, 1)

    def forward(self, x):
        x = torch.cat([self.a(x), self.b(x), F.avg_pool2d(x, 3, 1, 1), F.max_pool2d(x, 3, 1, 1)], 1)
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        x = F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)
        return F.adaptive_avg_pool2d(F.relu(self.final(x)), 1).flatten(1)


class Squeeze(nn.Module):
    """Depthwise convolutions and gates."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Sequential(nn.Conv2d(8, 16, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(16), nn.SiLU())
        self.fc1, self.fc2 = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.project = nn.Sequential(nn.Conv2d(16, 8, 1), nn.ReLU6())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, 4))

    def forward(self, x):
        x = self.depthwise(self.stem(x))
        scale = F.adaptive_avg_pool2d(x, 1)
        x = F.hardsigmoid(self.fc2(F.relu(self.fc1(scale)))) * x
        return self.classifier(self.project(x).mean([2, 3]))


class Shuffle(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.grouped = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = F.relu(self.stem(x))
        a, b = x.chunk(2, dim=1)
        x = torch.cat((a, F.relu(self.grouped(b))), dim=1)
        batch, channels, height, width = x.size()
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous().view(batch, channels, height, width)
        return self.fc(x[:, :, 1:, ::2].mean([2, 3]))


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 2, 2), LayerNorm2d(6))
        self.depthwise = nn.Conv2d(6, 6, 5, padding=2, groups=6)
        self.norm = nn.LayerNorm(6)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(6, 12), nn.GELU(), nn.Linear(12, 6)
        self.gamma = nn.Parameter(torch.rand(6, 1, 1))
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = self.stem(x)
        y = self.pwconv2(self.act(self.pwconv1(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))))
        x = x + self.gamma * y.permute(0, 3, 1, 2)
        return self.head(x.mean([-2, -1]))


class Flattened(nn.Module):
    """Pixels flattened before the dense layers; activations with slopes."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 4, 3, 2), nn.LeakyReLU(0.1), nn.Conv2d(4, 4, 3, 1, 1), nn.ELU(0.7),
            nn.Conv2d(4, 4, 1), nn.PReLU(4), nn.MaxPool2d(2), nn.Conv2d(4, 4, 1), nn.Softsign(), nn.Conv2d(4, 4, 1), nn.Tanh(),
        )
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4), nn.Softmax(dim=1))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Rarer(nn.Module):
    """Group norm, transposed convolution, resizing, pixel shuffle, reflection, standardised input."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.2, 0.3, 0.4]).view(1, 3, 1, 1))
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.norm = nn.GroupNorm(2, 8)
        self.up = nn.ConvTranspose2d(2, 4, 3, 2, 1, output_padding=1)
        self.bn = nn.BatchNorm1d(4)
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        x = (x - self.mean) / self.std
        x = F.silu(self.norm(self.conv(x)))
        x = F.pixel_shuffle(x, 2)
        x = self.up(F.pad(x, (1, 1, 1, 1), mode="reflect"))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.interpolate(x, size=(20, 18), mode="bilinear", align_corners=False)
        x = torch.clamp(x, -0.5, 0.8) + 0.1 * x.amax((2, 3), keepdim=True)
        return self.fc(self.bn(x.mean((2, 3)))) ** 2


class Attention(nn.Module):
    """A patch convolution and tokens: not what the method is for, but graphs have such parts."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.qkv, self.proj, self.norm, self.head = nn.Linear(8, 24), nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        batch, tokens, channels = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(batch, tokens, 3, 2, channels // 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = (q @ k.transpose(-2, -1) * 0.5).softmax(-1) @ v
        return self.head((x + self.proj(y.transpose(1, 2).reshape(batch, tokens, channels)))[:, 0])


# Which exporter and operator set each is written with.
NETWORKS = {
    "residual": (Residual, "ts11 ts17 dynamo20 apart17"),
    "branches": (Branches, "ts17 dynamo18"),
    "squeeze": (Squeeze, "ts13 ts17 dynamo20"),
    "shuffle": (Shuffle, "ts17 dynamo20"),
    "convnext": (ConvNext, "ts13 ts17 dynamo20"),
    "flattened": (Flattened, "ts11 dynamo20"),
    "rarer": (Rarer, "ts17 dynamo20"),
    "attention": (Attention, "ts17 dynamo20"),
}


def randomised(model):
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
            shape = module.running_mean.shape
            module.running_mean = 0.3 * torch.randn(shape, generator=generator)
            module.running_var = 0.5 + torch.rand(shape, generator=generator)
        if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d, nn.LayerNorm, nn.GroupNorm)):
            shape = module.weight.shape
            module.weight.data = 0.5 + torch.rand(shape, generator=generator)
            module.bias.data = 0.3 * torch.randn(shape, generator=generator)
    return model.eval()


def export(model, image, file, how):
    kind, opset = how.rstrip("0123456789"), int("".join(c for c in how if c.isdigit()))
    names = {"input_names": ["image"], "output_names": ["logits"], "opset_version": opset}
    if kind == "dynamo":
        torch.onnx.export(model, (image,), file, dynamo=True, external_data=False, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False, **names)
    else:
        apart = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False} if kind == "apart" else {}
        torch.onnx.export(model, (image,), file, dynamo=False, dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, **names, **apart)
    proto = onnx.load(file)
    # Stack traces name files of whoever ran this.
    for node in proto.graph.node:
        kept = [p for p in node.metadata_props if p.key in ("pkg.torch.onnx.name_scopes", "pkg.onnxscript.rewriter.rule_name")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.doc_string = ""
    for holder in (proto, proto.graph, *proto.graph.initializer, *proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        if hasattr(holder, "metadata_props"):
            del holder.metadata_props[:]
    del proto.graph.value_info[:]
    onnx.save(proto, file)


def from_keras(file):
    """As tf2onnx writes a Keras network: channels last with pairs of Transpose, SAME padding, biases added apart."""
    random = numpy.random.default_rng(5)
    weights, nodes = {}, []

    def weight(name, *shape):
        weights[name] = (0.5 * random.standard_normal(shape)).astype(numpy.float32)
        return name

    def node(operator, inputs, output, name, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        return output

    base = "StatefulPartitionedCall/small"
    x = node("Transpose", ["image"], "t0", f"{base}/conv1/Conv2D__6", perm=[0, 3, 1, 2])
    x = node("Conv", [x, weight("k1", 6, 3, 3, 3)], "c1", f"{base}/conv1/Conv2D", strides=[2, 2], auto_pad="SAME_UPPER", kernel_shape=[3, 3])
    x = node("Add", [x, weight("b1", 1, 6, 1, 1)], "a1", f"{base}/conv1/BiasAdd")
    x = node("Relu", [x], "r1", f"{base}/relu1/Relu")
    x = node("Conv", [x, weight("k2", 6, 1, 3, 3)], "c2", f"{base}/depthwise/depthwise", group=6, auto_pad="SAME_UPPER", kernel_shape=[3, 3])
    x = node("Transpose", [x], "t1", f"{base}/depthwise/depthwise__9", perm=[0, 2, 3, 1])
    x = node("Mul", [x, weight("scale", 6)], "m1", f"{base}/norm/mul")
    x = node("Add", [x, weight("shift", 6)], "m2", f"{base}/norm/add")
    x = node("Clip", [x, "zero", "six"], "r2", f"{base}/relu6/Relu6")
    x = node("Transpose", [x], "t2", f"{base}/pool/MaxPool__11", perm=[0, 3, 1, 2])
    x = node("MaxPool", [x], "p1", f"{base}/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER")
    x = node("Transpose", [x], "t3", f"{base}/pool/MaxPool__12", perm=[0, 2, 3, 1])
    flat = node("Reshape", [x, "flat"], "f1", f"{base}/flatten/Reshape")
    x = node("MatMul", [flat, weight("k3", 54, 4)], "d1", f"{base}/dense/MatMul")
    x = node("Add", [x, weight("b3", 4)], "d2", f"{base}/dense/BiasAdd")
    node("Softmax", [x], "scores", f"{base}/dense/Softmax", axis=1)
    weights.update(zero=numpy.float32(0), six=numpy.float32(6), flat=numpy.array([-1, 54], dtype=numpy.int64))
    graph = helper.make_graph(
        nodes, "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["unk__1", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["unk__1", 4])],
        [numpy_helper.from_array(numpy.asarray(value), name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), file)


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "test/formats/golden/onnx"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    images = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    channels_last = numpy.ascontiguousarray(images.numpy().transpose(0, 2, 3, 1))
    logits = {}
    for name, (make, kinds) in NETWORKS.items():
        torch.manual_seed(0)
        model = randomised(make())
        with torch.no_grad():
            expected = model(images).numpy()
        for how in kinds.split():
            file = folder / f"{name}.{how}.onnx"
            try:
                export(model, images, str(file), how)
            except Exception as error:
                print(f"{name}.{how}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
                continue
            found = onnxruntime.InferenceSession(str(file)).run(None, {"image": images.numpy()})[0]
            assert abs(found - expected).max() < 1e-4 * abs(expected).max(), file
            logits[file.name] = found.tolist()
    file = folder / "keras.tf2onnx15.onnx"
    from_keras(str(file))
    logits[file.name] = onnxruntime.InferenceSession(str(file)).run(None, {"image": channels_last})[0].tolist()
    record = {"shape": list(channels_last.shape), "image": base64.b64encode(channels_last.tobytes()).decode(), "logits": logits}
    (folder / "golden.json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"{len(logits)} networks, {sum(one.stat().st_size for one in folder.iterdir()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
