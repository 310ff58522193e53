"""Writes src/main/resources/.../runtime/processors.jsonl: what the image processors of transformers (Apache-2.0) do where a configuration
does not say it, the attributes of each class, a JSON object a line. Run with the folder of transformers 5.18's source:
python processor_defaults.py .../transformers"""
import ast
import json
import sys
from pathlib import Path

OUT = Path(__file__).parent.parent.parent / "main/resources/io/github/simclr4j/onnx/runtime/processors.jsonl"
KEYS = ("size", "crop_size", "resample", "image_mean", "image_std", "do_resize", "do_center_crop", "do_rescale", "rescale_factor",
        "do_normalize", "crop_pct", "rescale_offset", "include_top", "do_flip_channel_order")
FILTERS = {"NEAREST": 0, "LANCZOS": 1, "BILINEAR": 2, "BICUBIC": 3, "BOX": 4, "HAMMING": 5}
root = Path(sys.argv[1])
constants = {}
for node in ast.parse((root / "image_utils.py").read_text()).body + ast.parse((root / "utils/constants.py").read_text()).body:
    if isinstance(node, ast.Assign):
        try:
            constants[node.targets[0].id] = ast.literal_eval(node.value)
        except (ValueError, AttributeError):
            pass


def value(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return value(node.left) * value(node.right)
    if isinstance(node, ast.Dict):
        return {value(k): value(v) for k, v in zip(node.keys, node.values)}
    if isinstance(node, ast.Attribute):
        return FILTERS[node.attr]
    if isinstance(node, ast.Name):
        return constants[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return value(node.left) / value(node.right)
    return ast.literal_eval(node)


classes = {}
for file in sorted(root.glob("models/*/image_processing_*.py")):
    body = ast.parse(file.read_text()).body
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                constants[node.targets[0].id] = value(node.value)
            except (KeyError, ValueError):
                pass
    if "_pil_" in file.name:
        continue
    for c in body:
        if not isinstance(c, ast.ClassDef) or not c.name.endswith("ImageProcessor"):
            continue
        found = {}
        for a in c.body:
            if isinstance(a, ast.Assign) and getattr(a.targets[0], "id", "") in KEYS:
                try:
                    found[a.targets[0].id] = value(a.value)
                except (KeyError, ValueError):
                    print("not known:", c.name, ast.unparse(a))
        classes[c.name] = [b.id for b in c.bases if isinstance(b, ast.Name)], found


def all_of(name):
    bases, own = classes.get(name, ((), {}))
    inherited = {}
    for b in bases:
        inherited.update(all_of(b))
    return {**inherited, **own}


lines = []
for name in sorted(classes):
    found = {k: v for k, v in all_of(name).items() if v is not None}
    if found:
        lines.append(json.dumps({"name": name[:-len("ImageProcessor")], **found}, separators=(",", ":")))
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text("\n".join(lines) + "\n")
print(OUT, OUT.stat().st_size, len(lines), "classes")
