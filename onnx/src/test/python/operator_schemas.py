"""Writes src/main/resources/.../internal/operators.txt: what ONNX's own schemas (onnx.defs, Apache-2.0) say of the inputs, outputs,
attributes and types of each operator and version. Run with onnx 1.23; no network is needed.

A line "set NAME: TYPES" names a set of types: numbers of TensorProto.DataType, or * for what is no tensor. Then an operator a line,
its fields separated by a bar: domain (the default one is empty), name, first opset, least and most inputs, least and most outputs
(- for any number), "deprecated" or nothing, inputs, outputs (name:type variable or set:S single, O optional or V variadic:whether
they are all of one type), and attributes (name:type, ! if it must be
there, and * if there may be others)."""
from pathlib import Path

import onnx
from onnx import defs

OUT = Path(__file__).parent.parent.parent / "main/resources/io/github/simclr4j/onnx/internal/operators.txt"
DOMAINS = ("", "ai.onnx.ml")
NUMBERS = {f"tensor({name.lower()})": number for name, number in onnx.TensorProto.DataType.items()}
# Of these any attribute is allowed (AllowUncheckedAttributes in ONNX's source, which Python does not show).
UNCHECKED = {("LayerNormalization", 17)}
sets = {}


def types(allowed):
    numbers = sorted({NUMBERS[t] for t in allowed if t in NUMBERS})
    text = " ".join(map(str, numbers)) + (" *" if any(t not in NUMBERS for t in allowed) else "")
    return sets.setdefault(text.strip(), f"s{len(sets)}")


def parameters(formal):
    return ",".join(f"{p.name}:{p.type_str if '(' not in p.type_str else ''}:{types(p.types)}:{p.option.name[0]}"
                    f":{1 if p.is_homogeneous else 0}" for p in formal)


def most(n):
    return "-" if n > 100_000 else str(n)


lines = []
for s in sorted(defs.get_all_schemas_with_history(), key=lambda s: (s.domain, s.name, s.since_version)):
    if s.domain not in DOMAINS:
        continue
    attributes = ",".join(f"{a.name}:{a.type.name}{'!' if a.required else ''}" for a in s.attributes.values())
    if (s.name, s.since_version) in UNCHECKED:
        attributes += ",*:INT"
    lines.append("|".join((s.domain, s.name, str(s.since_version), str(s.min_input), most(s.max_input), str(s.min_output),
                           most(s.max_output), "deprecated" if s.deprecated else "", parameters(s.inputs), parameters(s.outputs),
                           attributes)))
with open(OUT, "w") as out:
    out.write(f"# From ONNX {onnx.__version__} by src/test/python/operator_schemas.py, which says what the fields mean.\n")
    out.writelines(f"set {name}: {text}\n" for text, name in sets.items())
    out.writelines(line + "\n" for line in lines)
print(OUT, OUT.stat().st_size, len(lines), "schemas,", len(sets), "sets of types")
