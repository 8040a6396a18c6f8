"""Exports classifiers with random weights to ONNX, and what onnxruntime computes for two images.

    python3 export.py FOLDER [NAME …] [--exporters torchscript,dynamo]

Needs torch, torchvision, timm, onnx, onnxscript, onnxruntime. For each network and exporter: FOLDER/NAME.EXPORTER.onnx and
FOLDER/NAME.EXPORTER.json with {input: [2, H, W, 3] flat, shape, logits: [[…], […]], torch: difference of the two frameworks}.
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
    return model.eval()


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


if __name__ == "__main__":
    main()
