"""Writes the encoders of the tests of MobileNetV3 and ViT, with PyTorch's own features of the tests' pictures: torchvision's and timm's
networks in tiny widths with random weights, exported by both of PyTorch's exporters.

    python export_families.py ../resources/io/github/simclr4j/onnx/families

With a second argument, a folder, it writes the published sizes there instead, which are too large for the repository.
Needs torch, torchvision, timm, onnx, onnxscript.
"""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf

import timm
from timm.layers import set_fused_attn
from timm.models.vision_transformer import VisionTransformer

warnings.filterwarnings("ignore")
OUT = Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
expected = {}


def images(size):
    """The tests compute the same pictures, and scale them like this."""
    y, x, c = np.meshgrid(np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    pictures = [((3 * x * x + 7 * y + 50 * c + x * y + 31 * k) & 255).astype(np.uint8) for k in range(2)]
    return (torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25


def randomise(model, seed):
    torch.manual_seed(seed)
    for m in model.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(m.weight, 0.6, 1.4)
            nn.init.uniform_(m.bias, -0.3, 0.3)
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.running_mean, -0.3, 0.3)
            nn.init.uniform_(m.running_var, 0.5, 1.5)
        if isinstance(m, (nn.Linear, nn.Conv2d)):
            fan = m.weight[0].numel()
            nn.init.normal_(m.weight, 0, fan ** -0.5)
            if m.bias is not None:
                nn.init.normal_(m.bias, 0, 0.1)
    for name, p in model.named_parameters():
        if name in ("cls_token", "pos_embed"):
            nn.init.normal_(p, 0, 0.5)
    return model.eval()


def features(model, x):
    with torch.no_grad():
        if isinstance(model, VisionTransformer):
            return model.forward_features(x)[:, 0]
        return model.avgpool(model.features(x)).flatten(1)


def old(name, model, x, opset, keep=False):
    torch.onnx.export(model, (x,), str(OUT / f"{name}.onnx"), input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, opset_version=opset, dynamo=False,
                      training=torch.onnx.TrainingMode.PRESERVE if keep else torch.onnx.TrainingMode.EVAL,
                      do_constant_folding=not keep)


def dynamo(name, model, x):
    program = torch.onnx.export(model, (x,), dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False)
    program.save(str(OUT / f"{name}.onnx"), external_data=False)
    # The exporter writes the path of each line of the model's source.
    m = onnx.load(OUT / f"{name}.onnx")
    for node in m.graph.node:
        del node.metadata_props[:]
    for value in m.graph.value_info:
        del value.metadata_props[:]
    del m.graph.metadata_props[:], m.metadata_props[:]
    onnx.save(m, OUT / f"{name}.onnx")


def family(name, model, size):
    x = images(size)
    expected[name] = dict(size=size, features=[[float(f"{v:.9g}") for v in row] for row in features(model, x).tolist()])
    old(name + "-13", model, x, 13)
    old(name + "-17-kept", model, x, 17, keep=True)
    dynamo(name + "-dynamo", model, x)


def mobilenet(width, classes, seed):
    blocks, last = _mobilenet_v3_conf("mobilenet_v3_large", width_mult=width)
    return randomise(MobileNetV3(blocks, last, num_classes=classes), seed)


# The older operators have no attention of their own.
set_fused_attn(False)
if len(sys.argv) > 2:
    OUT = Path(sys.argv[2])
    OUT.mkdir(parents=True, exist_ok=True)
    family("mobilenetv3-large", mobilenet(1, 10, 1), 224)
    family("vit-tiny", randomise(timm.create_model("vit_tiny_patch16_224", num_classes=10), 2), 224)
    family("vit-small", randomise(timm.create_model("vit_small_patch16_224", num_classes=10), 3), 224)
else:
    net = mobilenet(0.05, 3, 1)
    net.classifier = nn.Linear(net.classifier[0].in_features, 3)
    family("mobilenet", net, 64)
    family("vit", randomise(VisionTransformer(32, 8, num_classes=3, embed_dim=24, depth=2, num_heads=3), 2), 32)
(OUT / "expected.json").write_text(json.dumps(expected, indent=0))
for p in sorted(OUT.iterdir()):
    print(p.name, p.stat().st_size)
