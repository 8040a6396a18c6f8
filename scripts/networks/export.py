"""Exports classifiers with random weights to ONNX, and what onnxruntime computes for two images.

    python3 export.py FOLDER [NAME …] [--exporters torchscript,dynamo]

Needs torch, torchvision, timm, onnx, onnxscript, onnxruntime. For each network and exporter: FOLDER/NAME.EXPORTER.onnx and
FOLDER/NAME.EXPORTER.json with {input: [2, H, W, 3] flat, shape, logits: [[…], […]], torch: difference of the two frameworks}.
FOLDER/NAME.relevances holds what PyTorch's autograd through the whole network, batch norm folded as the exporters fold it, makes of each layer:
{labels, layers: {name: base64 of float32 [2, Cout], Σ over positions of Z · ∂y_label/∂Z}}.
"""

import argparse
import base64
import json
import pathlib
import sys
import time
import warnings

import numpy
import onnxruntime
import torch

warnings.filterwarnings("ignore")

SIDES = {"vgg11_bn": 224, "inception_v3": 96, "alexnet": 224}
TORCHVISION = (
    "vgg11_bn resnet18 resnet50 resnext50_32x4d densenet121 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large mnasnet0_5 googlenet "
    "inception_v3 squeezenet1_0 regnet_y_400mf efficientnet_b0 convnext_tiny shufflenet_v2_x0_5"
).split()
TIMM = "timm/resnet50 timm/efficientnet_lite0 timm/repvgg_a0".split()


def network(name):
    torch.manual_seed(0)
    if name.startswith("timm/"):
        import timm

        model = timm.create_model(name[5:], pretrained=False)
    else:
        import torchvision

        extra = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        model = torchvision.models.get_model(name, weights=None, **extra)
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Statistics that are not 0 and 1, so that a batch norm that is lost, or folded wrongly, shows.
            shape = module.running_mean.shape
            module.weight.data = 0.5 + torch.rand(shape, generator=generator)
            module.bias.data = 0.1 * torch.randn(shape, generator=generator)
            module.running_mean = 0.1 * torch.randn(shape, generator=generator)
            module.running_var = 0.5 + torch.rand(shape, generator=generator)
        if hasattr(module, "layer_scale"):
            module.layer_scale.data.fill_(0.5)  # 1e-6 as ConvNeXt begins: nothing of its blocks would arrive at the logits
    return model.eval()


LABELS = [3, 7]


def folded(model, images):
    """Batch norm folded into the convolution before it, in place, as exporters do it; what is left of it is the identity."""
    outputs, pairs, hooks = {}, [], []
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            hooks.append(module.register_forward_hook(lambda m, _, z: outputs.update({id(z): (m, z)})))
        elif isinstance(module, torch.nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(
                lambda m, given: pairs.append((outputs[id(given[0])][0], m)) if id(given[0]) in outputs else None))
    with torch.no_grad():
        model(images)
        for hook in hooks:
            hook.remove()
        for convolution, norm in pairs:
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            bias = 0 if convolution.bias is None else convolution.bias
            convolution.bias = torch.nn.Parameter(norm.bias + (bias - norm.running_mean) * scale)
            convolution.weight.mul_(scale.reshape(-1, 1, 1, 1))
            norm.weight.fill_(1), norm.bias.zero_(), norm.running_mean.zero_(), norm.running_var.fill_(1)
            norm.eps = 0.0
    return model


def relevances(model, images):
    """Per convolution and linear layer that runs once: Σ over positions of Z · ∂y/∂Z, [B, Cout], y the logit of the image's label."""
    seen = {}

    def watch(name, module, z):
        z.retain_grad()
        seen.setdefault(name, []).append((module, z))

    for name, module in model.named_modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # else Z would be what comes after it
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(lambda m, _, z, name=name: watch(name, m, z))
    logits = model(images.clone().requires_grad_())
    logits[torch.arange(len(LABELS)), LABELS].sum().backward()
    found = {}
    for name, calls in seen.items():
        (module, z), *others = calls
        if others or z.grad is None:
            continue
        products = (z * z.grad).detach()
        if isinstance(module, torch.nn.Conv2d):
            products = products.movedim(1, -1)
        found[name] = products.reshape(len(LABELS), -1, products.shape[-1]).sum(1).numpy()
    return found


def export(model, image, file, exporter, opset=None, keep_batch_norm=False):
    options = {"input_names": ["input"], "output_names": ["logits"]}
    if keep_batch_norm:
        options.update(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    if exporter == "torchscript":
        torch.onnx.export(model, (image,), file, dynamo=False, opset_version=opset or 17,
                          dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}}, **options)
    else:
        torch.onnx.export(model, (image,), file, dynamo=True, opset_version=opset or 20,
                          dynamic_shapes=({0: torch.export.Dim("batch")},), **options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=TORCHVISION + TIMM)
    parser.add_argument("--exporters", default="torchscript,dynamo")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in arguments.names:
        model = network(name)
        side = SIDES.get(name, 64)
        images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            expected = model(images).numpy()
        for exporter in arguments.exporters.split(","):
            stem = f"{name.replace('/', '-')}.{exporter}"
            file = arguments.folder / f"{stem}.onnx"
            record = arguments.folder / f"{stem}.json"
            if record.exists():
                continue
            start = time.time()
            try:
                export(model, images, str(file), exporter)
                session = onnxruntime.InferenceSession(str(file))
                logits = session.run(None, {session.get_inputs()[0].name: images.numpy()})[0]
            except Exception as error:  # one network that does not export must not end the table
                print(f"{stem}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
                continue
            nhwc = numpy.ascontiguousarray(images.numpy().transpose(0, 2, 3, 1))
            difference = float(abs(logits - expected).max() / abs(expected).max())
            record.write_text(json.dumps({
                "name": name, "exporter": exporter, "shape": list(nhwc.shape),
                "input": base64.b64encode(nhwc.tobytes()).decode(), "logits": logits.tolist(), "torch": difference,
            }))
            print(f"{stem}: {time.time() - start:.1f} s, torch and onnxruntime differ by {difference:.1e}", flush=True)
        record = arguments.folder / f"{name.replace('/', '-')}.relevances"
        if not record.exists():
            layers = {layer: base64.b64encode(values.tobytes()).decode() for layer, values in relevances(folded(model, images), images).items()}
            record.write_text(json.dumps({"labels": LABELS, "layers": layers}))
            print(f"{name}: relevances of {len(layers)} layers", flush=True)


if __name__ == "__main__":
    main()
