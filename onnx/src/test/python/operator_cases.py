"""Writes src/test/resources/.../file/operators.bin.gz: small models of every operator of ONNX's default domain and of ai.onnx.ml in every
version from opset 7 on, sound ones and ones with a wrong attribute, input, type, shape or declaration, each with the verdict of
onnx.checker.check_model(full_check=True). Run with onnx 1.23 and numpy; no network is needed.

A record is a name (DataOutput's UTF), a byte that is 1 for a model that ONNX's checker passes, the model's length and the model."""
import gzip
import io
import os
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, checker, defs, helper, numpy_helper

OUT = Path(__file__).parent.parent / "resources/io/github/simclr4j/onnx/file/operators.bin.gz"
FIRST, LAST = 7, 26
PREFERRED = ["float", "int64", "bool", "uint8", "int32", "string", "float16"]
records = {}


def i64(*values):
    return np.array(values, np.int64)


def f32(*values):
    return np.array(values, np.float32)


def t(shape, kind=TensorProto.FLOAT):
    return kind, list(shape)


X = t((1, 4, 8, 8))
INT = TensorProto.INT64
VEC = t((4,))
U8, I8, I32 = TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32


def scalar(value, kind=np.float32):
    return np.array(value, kind)


def conv(v):
    w = t((6, 4, 3, 3))
    yield [X, w], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2], "dilations": [1, 1], "group": 1}, 1
    yield [X, t((6, 2, 3, 3)), t((6,))], {"auto_pad": "SAME_UPPER", "group": 2}, 1
    yield [t((1, 4, 9)), t((2, 4, 3))], {"auto_pad": "VALID"}, 1


def transposed(v):
    yield [X, t((4, 6, 3, 3)), t((6,))], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}, 1


def pool(v):
    yield [X], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, 1
    yield [X], {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}, 1
    if v >= 10:
        yield [X], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, 1


def maxpool(v):
    yield from pool(v)
    yield [X], {"kernel_shape": [2, 2]}, 2


def average(v):
    yield from pool(v)
    yield [X], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, 1


def norm(v):
    yield [X, VEC, VEC, VEC, VEC], {"epsilon": 1e-5, "momentum": 0.9}, 1
    if v < 9:
        yield [X, VEC, VEC, VEC, VEC], {"spatial": 1}, 1
        each = t((4, 8, 8))
        yield [X, each, each, each, each], {"spatial": 0}, 1
    if v >= 14:
        yield [X, VEC, VEC, VEC, VEC], {"training_mode": 1}, 3


def axes(op):
    def cases(v):
        x = t((1, 4, 1, 8)) if op == "Squeeze" else X
        at = [0, 2]
        if v < 13:
            yield [x], {"axes": at}, 1
        else:
            yield [x, i64(*at)], {}, 1
            yield [x, t((2,), INT)], {}, 1
        if op == "Squeeze":
            yield [x], {}, 1
        if v >= 11:
            yield ([x], {"axes": [-1, 0] if op == "Unsqueeze" else [-2]}, 1) if v < 13 else ([x, i64(-1 if op == "Unsqueeze" else -2)], {}, 1)
    return cases


def reduce(op):
    def cases(v):
        late = 13 if op == "ReduceSum" else 18
        yield [X], {"keepdims": 0}, 1
        if v < late:
            yield [X], {"axes": [2, 3], "keepdims": 1}, 1
        else:
            yield [X, i64(2, 3)], {"keepdims": 0}, 1
            yield [X, i64()], {"noop_with_empty_axes": 1}, 1
        if v >= 11:
            yield ([X], {"axes": [-1]}, 1) if v < late else ([X, i64(-1)], {}, 1)
    return cases


def clip(v):
    if v < 11:
        yield [X], {"min": 0.0, "max": 6.0}, 1
    else:
        yield [X, scalar(0), scalar(6)], {}, 1
        yield [X, None, scalar(6)], {}, 1
    yield [X], {}, 1


def slices(v):
    if v < 10:
        yield [X], {"starts": [1, 0], "ends": [3, 9223372036854775807], "axes": [1, 3]}, 1
        yield [X], {"starts": [0], "ends": [-1]}, 1
    else:
        yield [X, i64(1, 0), i64(3, 9223372036854775807), i64(1, 3)], {}, 1
        yield [X, i64(-1), i64(-9223372036854775807), i64(2), i64(-2)], {}, 1
        yield [X, t((1,), INT), t((1,), INT)], {}, 1


def pad(v):
    at = [0, 0, 1, 1, 0, 0, 2, 2]
    if v < 11:
        yield [X], {"pads": at, "mode": "constant", "value": 0.0}, 1
    else:
        yield [X, i64(*at), scalar(0)], {"mode": "constant"}, 1
        yield [X, i64(*at)], {"mode": "reflect"}, 1
        yield [X, t((8,), INT)], {}, 1
    if v >= 18:
        yield [X, i64(1, 2), scalar(0), i64(3)], {}, 1


def dropout(v):
    if v < 12:
        yield [X], {"ratio": 0.5}, 1
        yield [X], {}, 2
    else:
        yield [X, scalar(0.5)], {}, 1
        yield [X, scalar(0.5), scalar(True, bool)], {"seed": 1}, 2


def topk(v):
    if v < 10:
        yield [X], {"k": 3, "axis": 1}, 2
    else:
        yield [X, i64(3)], {"axis": 1}, 2
        yield [X, t((1,), INT)], {}, 2


def split(v):
    if v < 13:
        yield [X], {"axis": 1, "split": [1, 3]}, 2
    else:
        yield [X, i64(1, 3)], {"axis": 1}, 2
    if v < 18:
        yield [X], {"axis": 2}, 2
    else:
        yield [X], {"axis": 2, "num_outputs": 3}, 3


def resize(v):
    scales = f32(1, 1, 2, 2)
    if v < 11:
        yield [X, scales], {"mode": "nearest"}, 1
        return
    yield [X, f32(), scales], {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}, 1
    if v >= 13:
        yield [X, None, scales], {"mode": "cubic"}, 1
        yield [X, None, None, i64(1, 4, 16, 5)], {"mode": "nearest"}, 1
    if v >= 18:
        yield [X, None, None, i64(16, 5)], {"axes": [2, 3], "antialias": 1, "mode": "linear"}, 1
        yield [X, None, f32(0.5, 0.5)], {"axes": [3, 2], "mode": "linear"}, 1


def upsample(v):
    if v < 9:
        yield [X], {"scales": [1.0, 1.0, 2.0, 2.0], "mode": "nearest"}, 1
    else:
        yield [X, f32(1, 1, 2, 2)], {"mode": "linear"}, 1


def softmax(v):
    yield [t((2, 5))], {"axis": 1}, 1
    yield [X], {}, 1
    if v >= 11:
        yield [X], {"axis": -2}, 1


def gemm(v):
    yield [t((2, 3)), t((3, 5)), t((5,))], {}, 1
    yield [t((3, 2)), t((5, 3)), t((2, 5))], {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}, 1
    if v >= 11:
        yield [t((2, 3)), t((3, 5))], {}, 1


def matmul(v):
    yield [t((2, 3)), t((3, 5))], {}, 1
    yield [t((7, 1, 2, 3)), t((4, 3, 5))], {}, 1
    yield [t((3,)), t((3, 5))], {}, 1


def cast(v):
    for to in (TensorProto.FLOAT16, TensorProto.INT64, TensorProto.BOOL):
        yield [X], {"to": to}, 1


def quantize(v):
    yield [X, scalar(0.1), scalar(0, np.uint8)], {}, 1
    yield [X, t(())], {}, 1
    if v >= 13:
        yield [X, t((4,)), t((4,), I8)], {"axis": 1}, 1
        yield [X, t((1,)), t((), U8)], {}, 1


def dequantize(v):
    x = t((1, 4, 8, 8), U8)
    yield [x, scalar(0.1), scalar(0, np.uint8)], {}, 1
    if v >= 13:
        yield [t((6, 4, 3, 3), I8), t((6,)), t((6,), I8)], {"axis": 0}, 1
        yield [t((6,), I32), t((1,)), t((), I32)], {}, 1


def reshape(v):
    yield [X, i64(0, -1)], {}, 1
    yield [X, i64(2, 2, 64)], {}, 1
    yield [X, t((3,), INT)], {}, 1
    if v >= 14:
        yield [t((0, 4)), i64(0, 7)], {"allowzero": 1}, 1


def binary(kind=TensorProto.FLOAT):
    def cases(v):
        yield [t((1, 4, 8, 8), kind), t((4, 1, 1), kind)], {}, 1
        yield [t((3, 1), kind), t((1, 5), kind)], {}, 1
    return cases


def unary(v):
    yield [X], {}, 1


def constant(v):
    yield [], {"value": numpy_helper.from_array(f32(1, 2))}, 1
    if v >= 12:
        yield [], {"value_ints": [1, 2]}, 1
        yield [], {"value_float": 2.0}, 1


RECIPES = {
    "Conv": conv, "ConvTranspose": transposed, "MaxPool": maxpool, "AveragePool": average, "LpPool": pool,
    "BatchNormalization": norm, "Squeeze": axes("Squeeze"), "Unsqueeze": axes("Unsqueeze"), "Clip": clip, "Slice": slices, "Pad": pad,
    "Dropout": dropout, "TopK": topk, "Split": split, "Resize": resize, "Upsample": upsample, "Softmax": softmax,
    "LogSoftmax": softmax, "Hardmax": softmax, "Gemm": gemm, "MatMul": matmul, "Cast": cast, "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize, "Reshape": reshape, "Constant": constant,
    "Flatten": lambda v: iter([([X], {"axis": 1}, 1), ([X], {}, 1), ([X], {"axis": 4}, 1), ([X], {"axis": -1}, 1)]),
    "Transpose": lambda v: iter([([X], {"perm": [0, 2, 3, 1]}, 1), ([X], {}, 1)]),
    "Concat": lambda v: iter([([X, X, t((1, 2, 8, 8))], {"axis": 1}, 1)]),
    "Gather": lambda v: iter([([X, t((2, 3), INT)], {"axis": 1}, 1), ([X, i64(0)], {}, 1)]),
    "GatherElements": lambda v: iter([([X, t((1, 4, 8, 2), INT)], {"axis": 3}, 1)]),
    "Shape": lambda v: iter([([X], {}, 1)] + ([([X], {"start": 1, "end": -1}, 1)] if v >= 15 else [])),
    "ConstantOfShape": lambda v: iter([([i64(2, 3)], {"value": numpy_helper.from_array(i64(1))}, 1), ([t((3,), INT)], {}, 1)]),
    "Expand": lambda v: iter([([t((4, 1)), i64(2, 4, 5)], {}, 1)]),
    "Tile": lambda v: iter([([t((2, 3)), i64(2, 1)], {}, 1)]),
    "Where": lambda v: iter([([t((4, 1), TensorProto.BOOL), t((4, 5)), t((5,))], {}, 1)]),
    "LayerNormalization": lambda v: iter([([t((2, 5, 6)), t((6,)), t((6,))], {"axis": -1, "epsilon": 1e-6}, 1)]),
    "InstanceNormalization": lambda v: iter([([X, VEC, VEC], {"epsilon": 1e-5}, 1)]),
    "GroupNormalization": lambda v: iter([([X, t((2,) if v < 21 else (4,)), t((2,) if v < 21 else (4,))], {"num_groups": 2}, 1)]),
    "LRN": lambda v: iter([([X], {"size": 3, "alpha": 1e-4, "beta": 0.75, "bias": 1.0}, 1)]),
    "LpNormalization": lambda v: iter([([t((2, 5))], {"axis": 1, "p": 2}, 1)]),
    "SpaceToDepth": lambda v: iter([([X], {"blocksize": 2}, 1)]),
    "DepthToSpace": lambda v: iter([([X], {"blocksize": 2}, 1)]),
    "ArgMax": lambda v: iter([([X], {"axis": 1, "keepdims": 0}, 1)]),
    "ArgMin": lambda v: iter([([X], {"axis": 2}, 1)]),
    "OneHot": lambda v: iter([([t((4,), INT), scalar(7, np.int64), f32(0, 1)], {"axis": -1}, 1)]),
    "PRelu": lambda v: iter([([X, t((4, 1, 1))], {}, 1)]),
    "Gelu": lambda v: iter([([X], {"approximate": "tanh"}, 1)]),
    "RandomNormal": lambda v: iter([([], {"shape": [2, 3], "dtype": 1}, 1)]),
    "RandomNormalLike": lambda v: iter([([X], {}, 1)]),
    "Bernoulli": lambda v: iter([([X], {"dtype": 7}, 1)]),
    "DynamicQuantizeLinear": lambda v: iter([([X], {}, 3)]),
    "QLinearConv": lambda v: iter([([t((1, 4, 8, 8), U8), scalar(.1), scalar(0, np.uint8), t((6, 4, 3, 3), I8), scalar(.1), scalar(0, np.int8),
                                     scalar(.1), scalar(0, np.uint8), t((6,), I32)], {"pads": [1, 1, 1, 1]}, 1)]),
    "ConvInteger": lambda v: iter([([t((1, 4, 8, 8), U8), t((6, 4, 3, 3), U8)], {}, 1)]),
    "MatMulInteger": lambda v: iter([([t((2, 3), U8), t((3, 5), I8)], {}, 1)]),
    "QLinearMatMul": lambda v: iter([([t((2, 3), U8), scalar(.1), scalar(0, np.uint8), t((3, 5), U8), scalar(.1), scalar(0, np.uint8),
                                       scalar(.1), scalar(0, np.uint8)], {}, 1)]),
    "CumSum": lambda v: iter([([X, scalar(1, np.int64)], {}, 1)]),
    "Range": lambda v: iter([([scalar(0, np.int64), scalar(5, np.int64), scalar(1, np.int64)], {}, 1)]),
}
RECIPES.update({op: reduce(op) for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2", "ReduceProd")})
RECIPES.update({op: binary() for op in ("Add", "Sub", "Mul", "Div", "Pow", "Equal", "Greater", "Less", "Max", "Min", "Sum")})
RECIPES.update({op: binary(TensorProto.BOOL) for op in ("And", "Or", "Xor")})
RECIPES.update({op: unary for op in ("Relu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Sqrt", "Erf", "Exp", "Neg", "Abs", "Identity",
                                     "GlobalAveragePool", "GlobalMaxPool", "Softplus", "Mish", "Reciprocal", "LeakyRelu", "Elu", "Selu")})


def graph(name):
    return helper.make_graph([helper.make_node("Identity", ["top"], [name])], name, [], [helper.make_tensor_value_info(name, 1, None)])


def model(op, domain, opset, inputs, attributes, outputs, info=()):
    """The node beside one that gives the model's output; what the node gives is declared by info alone."""
    names, ports, constants = [], [helper.make_tensor_value_info("top", TensorProto.FLOAT, [1])], []
    for k, value in enumerate(inputs):
        names.append("" if value is None else f"i{k}")
        if isinstance(value, np.ndarray):
            constants.append(numpy_helper.from_array(value, f"i{k}"))
        elif isinstance(value, onnx.TypeProto):
            ports.append(helper.make_value_info(f"i{k}", value))
        elif value is not None:
            ports.append(helper.make_tensor_value_info(f"i{k}", *value))
    node = helper.make_node(op, names, [f"o{k}" for k in range(outputs)], domain=domain)
    for key, value in attributes.items():
        node.attribute.append(value if isinstance(value, onnx.AttributeProto) else helper.make_attribute(key, value))
    imports = [helper.make_opsetid("", opset if domain == "" else 17)] + ([helper.make_opsetid(domain, opset)] if domain else [])
    g = helper.make_graph([node, helper.make_node("Identity", ["top"], ["end"])], "g", ports,
                          [helper.make_tensor_value_info("end", TensorProto.FLOAT, [1])], constants, value_info=list(info))
    m = helper.make_model(g, opset_imports=imports, ir_version=8, producer_name="")
    return m


def verdict(m):
    """Whether the checker passes a model, None if it has no verdict: a few models end its process (an assertion of libstdc++)."""
    child = os.fork()
    if child == 0:
        try:
            checker.check_model(m, full_check=True)
            os._exit(0)
        except Exception:  # whatever it raises, the model is not sound
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status) == 0


def record(name, *arguments, **more):
    try:
        m = model(*arguments, **more)
        data = m.SerializeToString()
    except Exception:  # what the library can't even build
        return None
    if data in records:
        return records[data][1]
    sound = verdict(m)
    if sound is None:
        print("no verdict on", name)
    else:
        records[data] = name, sound
    return sound


def altered(value):
    """An input that is not as it should be."""
    if isinstance(value, np.ndarray):
        flat = value.reshape(-1)
        yield "longer", np.concatenate([flat, flat[-1:] if flat.size else np.ones(1, value.dtype)])
        yield "shorter", flat[:-1]
        if value.dtype == np.int64:
            yield "far", value + 100
            yield "int32", value.astype(np.int32)
        yield "double", value.astype(np.float64)
    elif isinstance(value, tuple):
        kind, shape = value
        yield "rank-more", (kind, shape + [2])
        yield "open", (kind, [None] * len(shape))
        if shape:
            yield "rank-less", (kind, shape[:-1])
            yield "scalar", (kind, [])
            for d in range(min(2, len(shape))):
                yield f"dim{d}", (kind, shape[:d] + [shape[d] + 1] + shape[d + 1:])
        for other in (TensorProto.DOUBLE, INT, TensorProto.BOOL, TensorProto.STRING):
            if other != kind:
                yield TensorProto.DataType.Name(other).lower(), (other, shape)


def turned(key, value):
    """An attribute that is not as it should be."""
    yield "as-text", {key: "x" if not isinstance(value, str) else 1}
    if isinstance(value, bool) or isinstance(value, int):
        yield "far", {key: 100}
        yield "far-below", {key: -100}
    if isinstance(value, list):
        yield "longer", {key: value + value[-1:]}
        yield "shorter", {key: value[:-1]} if len(value) > 1 else {key: value * 3}
        if isinstance(value[0], int):
            yield "below", {key: [-1] + value[1:]}
            yield "far", {key: [99] + value[1:]}


def variants(name, op, domain, opset, others, inputs, attributes, outputs):
    sound = record(name, op, domain, opset, inputs, attributes, outputs)
    for other in others:
        record(f"{name}/in-opset-{other}", op, domain, other, inputs, attributes, outputs)
    for key, value in attributes.items():
        rest = {k: v for k, v in attributes.items() if k != key}
        record(f"{name}/without-{key}", op, domain, opset, inputs, rest, outputs)
        for how, wrong in turned(key, value):
            record(f"{name}/{key}-{how}", op, domain, opset, inputs, {**rest, **wrong}, outputs)
    record(f"{name}/unknown-attribute", op, domain, opset, inputs, {**attributes, "bogus": 1}, outputs)
    record(f"{name}/private-attribute", op, domain, opset, inputs, {**attributes, "__bogus": 1}, outputs)
    record(f"{name}/one-more-input", op, domain, opset, inputs + [X], attributes, outputs)
    record(f"{name}/one-more-output", op, domain, opset, inputs, attributes, outputs + 1)
    record(f"{name}/last-input-away", op, domain, opset, inputs[:-1], attributes, outputs)
    for k, value in enumerate(inputs):
        record(f"{name}/input{k}-empty", op, domain, opset, inputs[:k] + [None] + inputs[k + 1:], attributes, outputs)
        for how, wrong in altered(value):
            record(f"{name}/input{k}-{how}", op, domain, opset, inputs[:k] + [wrong] + inputs[k + 1:], attributes, outputs)
    if not sound:
        return
    inferred = onnx.shape_inference.infer_shapes(model(op, domain, opset, inputs, attributes, outputs))
    for v in inferred.graph.value_info:
        if v.type.HasField("tensor_type") and v.name.startswith("o"):
            kind = v.type.tensor_type.elem_type
            d = [x.dim_value if x.HasField("dim_value") else None for x in v.type.tensor_type.shape.dim]
            known = v.type.tensor_type.HasField("shape")
            says = [("right", kind, d if known else None), ("type", TensorProto.UINT16, d if known else None),
                    ("rank", kind, d + [1] if known else None)]
            if d and d[-1] is not None:
                says.append(("dim", kind, d[:-1] + [d[-1] + 1]))
            for how, k, shape in says:
                record(f"{name}/declared-{v.name}-{how}", op, domain, opset, inputs, attributes, outputs,
                       info=[helper.make_tensor_value_info(v.name, k, shape)])


def typed(text):
    """A value of a type of the schemas."""
    if text.startswith("tensor("):
        return t((1, 4, 8, 8), TensorProto.DataType.Value(text[7:-1].upper()))
    if text.startswith("seq(tensor("):
        return helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.DataType.Value(text[11:-2].upper()), None))
    if text.startswith("optional("):
        inner = typed(text[9:-1])
        return helper.make_optional_type_proto(inner if isinstance(inner, onnx.TypeProto) else helper.make_tensor_type_proto(*inner))
    return X


def plain(schema):
    """A node of any operator: as many inputs as it needs, in types that it takes."""
    inputs = []
    for k in range(min(schema.min_input, 12)):
        p = schema.inputs[min(k, len(schema.inputs) - 1)]
        names = sorted(p.types, key=lambda n: next((i for i, q in enumerate(PREFERRED) if n == f"tensor({q})"), 99))
        inputs.append(typed(names[0]))
    dummies = {"FLOAT": 1.0, "INT": 1, "STRING": "x", "FLOATS": [1.0], "INTS": [1], "STRINGS": ["x"], "GRAPH": None,
               "TENSOR": numpy_helper.from_array(f32(1))}
    attributes = {}
    for a in schema.attributes.values():
        if a.required:
            value = dummies.get(a.type.name)
            attributes[a.name] = graph(a.name) if a.type.name == "GRAPH" else value
    return inputs, attributes, max(1, schema.min_output)


def versions(domain):
    first, last = (FIRST, LAST) if domain == "" else (1, 5)
    by_name = {}
    for s in defs.get_all_schemas_with_history():
        if s.domain == domain and s.since_version <= last:
            by_name.setdefault(s.name, []).append(s)
    for name, all_versions in sorted(by_name.items()):
        all_versions.sort(key=lambda s: s.since_version)
        live = [s for k, s in enumerate(all_versions) if k + 1 == len(all_versions) or all_versions[k + 1].since_version > first]
        yield name, [(max(first, s.since_version), s) for s in live]


for domain in ("", "ai.onnx.ml"):
    for op, live in versions(domain):
        opsets = [o for o, _ in live]
        for opset, schema in live:
            if op in RECIPES and domain == "":
                for n, (inputs, attributes, outputs) in enumerate(RECIPES[op](opset)):
                    variants(f"{op}-{opset}-{n}", op, domain, opset, [o for o in opsets if o != opset], inputs, attributes, outputs)
            else:
                variants(f"{op}-{opset}", op, domain, opset, [], *plain(schema))
raw = io.BytesIO()
for data, (name, sound) in records.items():
    text = name.encode()
    raw.write(struct.pack(">H", len(text)) + text + struct.pack(">?I", sound, len(data)) + data)
OUT.parent.mkdir(parents=True, exist_ok=True)
with gzip.GzipFile(OUT, "wb", 9, mtime=0) as out:
    out.write(raw.getvalue())
print(OUT, OUT.stat().st_size, len(records), "models,", sum(s for _, s in records.values()), "sound")
