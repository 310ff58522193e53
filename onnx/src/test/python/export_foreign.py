"""Writes the foreign encoders of the tests, with the exporter's own outputs: networks of torchvision in tiny widths with random
weights, exported by both of PyTorch's exporters, and a graph with the conventions of TensorFlow's exporter (tf2onnx).

    python export_foreign.py ../resources/io/github/simclr4j/onnx/foreign

Needs torch, torchvision, onnx, onnxscript, pillow.
"""
import base64
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
import torchvision
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import nn
from torchvision import transforms
from torchvision.models import convnext, densenet, efficientnet, mobilenetv2, resnet, shufflenetv2, swin_transformer
from torchvision.models import vision_transformer
from torchvision.ops import Conv2dNormActivation

warnings.filterwarnings("ignore")
OUT = Path(sys.argv[1])
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
expected = {}


def image(width, height, k=0):
    """The tests compute the same picture."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((3 * x * x + 7 * y + 50 * c + x * y + 31 * k) & 255).astype(np.uint8)


def batch(size):
    return torch.from_numpy(np.stack([image(size, size, k) for k in range(2)]))


def planes(size, mean=MEAN, std=STD):
    x = batch(size).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def randomise(model, seed):
    torch.manual_seed(seed)
    for m in model.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(m.weight, 0.6, 1.4)
            nn.init.uniform_(m.bias, -0.3, 0.3)
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.running_mean, -0.3, 0.3)
            nn.init.uniform_(m.running_var, 0.5, 1.5)
    return model.eval()


class Tiny(resnet.ResNet):
    """torchvision's ResNet with a 32nd of the channels, 10 classes."""

    def __init__(self, block, layers, cifar=False):
        self._first = True
        super().__init__(block, layers)
        self.fc = nn.Linear(16 * block.expansion, 10)
        if cifar:
            self.conv1 = nn.Conv2d(3, 2, 3, padding=1, bias=False)
            self.maxpool = nn.Identity()

    @property
    def inplanes(self):
        return self.__dict__["_inplanes"]

    @inplanes.setter
    def inplanes(self, value):
        self.__dict__["_inplanes"] = 2 if "_inplanes" not in self.__dict__ else value

    def _make_layer(self, block, planes, *args, **kwargs):
        return super()._make_layer(block, planes // 32, *args, **kwargs)


class Headless(nn.Module):
    def __init__(self, net):
        super().__init__()
        net.fc = nn.Identity()
        self.net = net

    def forward(self, x):
        return self.net(x)


class Spatial(nn.Module):
    """[N, D, 1, 1]: everything up to the pooling."""

    def __init__(self, net):
        super().__init__()
        self.body = nn.Sequential(*list(net.children())[:-1])

    def forward(self, x):
        return self.body(x)


class Tokens(nn.Module):
    """The outputs and names of a vision transformer on Hugging Face."""

    def __init__(self, vit):
        super().__init__()
        self.vit = vit

    def forward(self, x):
        t = self.vit._process_input(x)
        t = torch.cat([self.vit.class_token.expand(t.shape[0], -1, -1), t], 1)
        t = self.vit.encoder(t)
        return t, torch.tanh(t[:, 0])


class Bytes(nn.Module):
    """Takes [N, H, W, 3] in uint8, scaling inside."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        x = x.permute(0, 3, 1, 2).float() / 255
        return self.net((x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1))


def note(name, values, settings, **more):
    expected[name] = dict(settings=settings, values=[[float(f"{v:.9g}") for v in row] for row in values.tolist()], **more)


IMAGENET = {"mean": ",".join(map(str, MEAN)), "std": ",".join(map(str, STD))}


def torchscript(name, model, x, settings=IMAGENET, pick=lambda y: y.flatten(1), inputs="input", outputs=("output",),
                dynamic=("batch",), keep=False, opset=13, free=False, **more):
    with torch.no_grad():
        y = model(x)
    axes = {}
    for n in (inputs, *outputs) if dynamic else ():
        axes[n] = {0: "batch"}
    if free:
        axes[inputs].update({2: "height", 3: "width"})
    file = OUT / f"{name}.onnx"
    torch.onnx.export(model, (x if dynamic else x[:1],), str(file), input_names=[inputs], output_names=list(outputs),
                      dynamic_axes=axes or None, opset_version=opset, dynamo=False,
                      training=torch.onnx.TrainingMode.PRESERVE if keep else torch.onnx.TrainingMode.EVAL,
                      do_constant_folding=not keep)
    note(name, pick(y).float(), settings, **more)


def dynamo(name, model, x, settings=IMAGENET, pick=lambda y: y.flatten(1), **more):
    with torch.no_grad():
        y = model(x)
    program = torch.onnx.export(model, (x,), dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False)
    program.save(str(OUT / f"{name}.onnx"), external_data=False)
    # The exporter writes the path of each line of the model's source.
    m = onnx.load(OUT / f"{name}.onnx")
    for node in m.graph.node:
        del node.metadata_props[:]
    for value in m.graph.value_info:
        del value.metadata_props[:]
    onnx.save(m, OUT / f"{name}.onnx")
    note(name, pick(y).float(), settings, **more)


def tiny(block, layers, seed, **kw):
    return randomise(Tiny(block, layers, **kw), seed)


def ours(net, size):
    """The embedding under the scaling that the trainer has."""
    with torch.no_grad():
        x = planes(size, [0.5] * 3, [0.25] * 3)
        body = nn.Sequential(*list(net.children())[:-1])
        return [[float(f"{v:.9g}") for v in row] for row in body(x).flatten(1).tolist()]


def resnets():
    basic, bottle = resnet.BasicBlock, resnet.Bottleneck
    net = tiny(basic, [2, 2, 2, 2], 1)
    torchscript("resnet18-folded", net, planes(64), ours=ours(net, 64))
    torchscript("resnet18-batchnorm", net, planes(64), keep=True, ours=ours(net, 64))
    dynamo("resnet18-dynamo", net, planes(64), ours=ours(net, 64))
    torchscript("resnet18-half", net.half(), planes(64).half())
    net = tiny(basic, [2, 2, 2, 2], 2, cifar=True)
    torchscript("resnet18-cifar", net, planes(32), inputs="x.1", outputs=("logits.1",), ours=ours(net, 32))
    net = tiny(bottle, [3, 4, 6, 3], 3)
    torchscript("resnet50-folded", net, planes(64), dict(IMAGENET, **{"image-size": "64"}), opset=17, free=True,
                ours=ours(net, 64))
    net = tiny(basic, [3, 4, 6, 3], 4)
    torchscript("resnet34-spatial", Spatial(net), planes(64), dynamic=(), ours=ours(net, 64))
    net = Headless(tiny(basic, [2, 2, 2, 2], 5))
    torchscript("resnet18-bytes", Bytes(net).eval(), batch(64), settings={})


def others():
    net = mobilenetv2.MobileNetV2(num_classes=12, inverted_residual_setting=[[1, 8, 1, 1], [6, 8, 2, 2], [6, 16, 2, 2]])
    net.features[-1] = Conv2dNormActivation(16, 48, kernel_size=1, activation_layer=nn.ReLU6)
    net.classifier = nn.Linear(48, 12)
    torchscript("mobilenet-v2", randomise(net, 6), planes(64))
    vit = randomise(vision_transformer.VisionTransformer(32, 8, 2, 2, 16, 32), 7)
    nn.init.normal_(vit.class_token)
    names = ("last_hidden_state", "pooler_output")
    torchscript("vit-tokens", Tokens(vit).eval(), planes(32), inputs="pixel_values", outputs=names, opset=17,
                settings=dict(IMAGENET, output="last_hidden_state", pooling="class"), pick=lambda y: y[0][:, 0])
    with torch.no_grad():
        tokens = Tokens(vit)(planes(32))
    expected["vit-tokens"]["mean"] = tokens[0].mean(1).tolist()
    expected["vit-tokens"]["patches"] = tokens[0][:, 1:].mean(1).tolist()
    expected["vit-tokens"]["pooler"] = tokens[1].tolist()
    net = randomise(convnext.ConvNeXt([convnext.CNBlockConfig(8, 16, 1), convnext.CNBlockConfig(16, None, 1)], num_classes=12), 8)
    for block in net.modules():
        if isinstance(block, convnext.CNBlock):
            nn.init.uniform_(block.layer_scale, 0.5, 1)
    torchscript("convnext", net, planes(64), opset=17)
    torchscript("densenet", randomise(densenet.DenseNet(4, (2, 2, 2), 8, num_classes=12), 9), planes(64))
    conf = efficientnet.MBConvConfig
    net = efficientnet.EfficientNet([conf(1, 3, 1, 8, 8, 1), conf(4, 5, 2, 8, 16, 2)], 0.0, num_classes=12)
    torchscript("efficientnet", randomise(net, 10), planes(64), opset=17)
    net = shufflenetv2.ShuffleNetV2([2, 2, 2], [8, 16, 24, 32, 48], num_classes=12)
    torchscript("shufflenet-v2", randomise(net, 11), planes(64))
    net = swin_transformer.SwinTransformer([4, 4], 8, [1, 1], [2, 2], [4, 4], num_classes=12)
    torchscript("swin", randomise(net, 12), planes(64), opset=17)


def tensorflow():
    """NHWC in, transposed inside, padding SAME (more at the end), ReLU6, batch norm with epsilon 1e-3, [N, 1, 1, D] out."""
    r = np.random.default_rng(13)
    f = lambda *s: (r.standard_normal(s) * 0.4).astype(np.float32)
    w0, w1, w2 = f(8, 3, 3, 3), f(8, 1, 3, 3), f(20, 8, 1, 1)
    norms = [[r.uniform(0.6, 1.4, n).astype(np.float32), f(n), f(n), r.uniform(0.5, 1.5, n).astype(np.float32)] for n in (8, 8, 20)]
    init, nodes = [], []
    prefix = "StatefulPartitionedCall/mobilenet_1.00_64/"

    def const(name, value):
        init.append(numpy_helper.from_array(value, name))
        return name

    def norm(x, i, last=None):
        names = [const(f"{prefix}bn{i}/{k}:0", v) for k, v in zip(("gamma", "beta", "mean", "variance"), norms[i])]
        nodes.append(helper.make_node("BatchNormalization", [x, *names], [f"{prefix}bn{i}:0"], f"{prefix}bn{i}", epsilon=1e-3))
        nodes.append(helper.make_node("Clip", [f"{prefix}bn{i}:0", "zero", "six"], [f"{prefix}relu{i}:0"], f"{prefix}relu{i}"))
        return f"{prefix}relu{i}:0"

    const("zero", np.float32(0)), const("six", np.float32(6))
    nodes.append(helper.make_node("Transpose", ["input_1:0"], [prefix + "t:0"], prefix + "t", perm=[0, 3, 1, 2]))
    nodes.append(helper.make_node("Conv", [prefix + "t:0", const("w0", w0)], ["c0:0"], prefix + "conv0",
                                  strides=[2, 2], pads=[0, 0, 1, 1], kernel_shape=[3, 3]))
    x = norm("c0:0", 0)
    nodes.append(helper.make_node("Conv", [x, const("w1", w1)], ["c1:0"], prefix + "depthwise", group=8,
                                  strides=[1, 1], auto_pad="SAME_UPPER", kernel_shape=[3, 3]))
    x = norm("c1:0", 1)
    nodes.append(helper.make_node("Conv", [x, const("w2", w2)], ["c2:0"], prefix + "pointwise", kernel_shape=[1, 1]))
    x = norm("c2:0", 2)
    nodes.append(helper.make_node("Transpose", [x], [prefix + "back:0"], prefix + "back", perm=[0, 2, 3, 1]))
    nodes.append(helper.make_node("ReduceMean", [prefix + "back:0"], ["Identity:0"], prefix + "pool", axes=[1, 2], keepdims=1))
    graph = helper.make_graph(nodes, "tf2onnx", [helper.make_tensor_value_info("input_1:0", TensorProto.FLOAT, ["unk__1", 64, 64, 3])],
                              [helper.make_tensor_value_info("Identity:0", TensorProto.FLOAT, ["unk__2", 1, 1, 20])], init)
    model = helper.make_model(graph, producer_name="tf2onnx", opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, OUT / "tensorflow-nhwc.onnx")
    x = batch(64).permute(0, 3, 1, 2).float() / 127.5 - 1

    def bn(x, i):
        g, b, m, v = map(torch.from_numpy, norms[i])
        return F.batch_norm(x, m, v, g, b, eps=1e-3).clamp(0, 6)

    x = bn(F.conv2d(F.pad(x, (0, 1, 0, 1)), torch.from_numpy(w0), stride=2), 0)
    x = bn(F.conv2d(x, torch.from_numpy(w1), padding=1, groups=8), 1)
    x = bn(F.conv2d(x, torch.from_numpy(w2)), 2)
    note("tensorflow-nhwc", x.mean((2, 3)), {"mean": "0.5", "std": "0.5"})


def resizing():
    picture = Image.fromarray(image(52, 41))
    b64 = lambda im: base64.b64encode(np.asarray(im).tobytes()).decode()
    out = {}
    for name in ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"):
        mode = getattr(Image.Resampling, name.upper())
        out[name] = {
            "stretch": b64(picture.resize((24, 16), mode)),
            "short": b64(transforms.CenterCrop((16, 24))(picture.resize((int(27 * 52 / 41), 27), mode))),
            "enlarge": b64(transforms.CenterCrop((64, 64))(picture.resize((int(66 * 52 / 41), 66), mode))),
        }
    (OUT / "resize.json").write_text(json.dumps(out))


resnets()
others()
tensorflow()
resizing()
(OUT / "expected.json").write_text(json.dumps(expected, indent=0))
for p in sorted(OUT.iterdir()):
    print(p.name, p.stat().st_size)
