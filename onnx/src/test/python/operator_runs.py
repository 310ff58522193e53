"""Runs the models of operators.bin.gz that OperatorCasesTest found unsound and ONNX's checker does not (it writes their names to
target/stricter.txt) in ONNX Runtime, on zeros, and prints those that it runs: there must be none, for a model that works must not be
called unsound. Run with onnx, onnxruntime 1.30 and numpy."""
import gzip
import os
import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

HERE = Path(__file__).parent.parent / "resources/io/github/simclr4j/onnx/file"
TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}
stricter = set((HERE.parents[7] / "target/stricter.txt").read_text().split("\n"))
raw = gzip.open(HERE / "operators.bin.gz").read()
counts, at = {}, 0
while at < len(raw):
    length, = struct.unpack_from(">H", raw, at)
    name = raw[at + 2:at + 2 + length].decode()
    sound, size = struct.unpack_from(">?I", raw, at + 2 + length)
    at += 7 + length + size
    if name not in stricter:
        continue
    child = os.fork()
    if child == 0:
        try:
            model = onnx.load_from_string(raw[at - size:at])
            model.graph.output.append(onnx.ValueInfoProto(name="o0"))
            options = ort.SessionOptions()
            options.log_severity_level = 4
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            session.run(None, {i.name: np.zeros([d.dim_value or 2 for d in i.type.tensor_type.shape.dim], TYPES[i.type.tensor_type.elem_type])
                               for i in model.graph.input})
            os._exit(0)
        except Exception:  # whatever it raises, the model does not work
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    outcome = "ends the process" if os.WIFSIGNALED(status) else "fails" if status else "runs"
    counts[outcome] = counts.get(outcome, 0) + 1
    if outcome == "runs":
        print("runs", name)
print(counts)
