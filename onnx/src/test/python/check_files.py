"""Prints the verdict of onnx.checker.check_model(full_check=True) on each .onnx file in the folders given, and a table of counts:
python check_files.py FOLDER... With --data alone it prints where the models inside the onnx wheel are; with --nodes FOLDER it writes the
models there that the wheel makes of each operator."""
import sys
from pathlib import Path

import onnx

if sys.argv[1:] == ["--data"]:
    print(Path(onnx.__file__).parent / "backend/test/data")
    sys.exit()
if sys.argv[1] == "--nodes":
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(None):
        if case.model is not None:
            (Path(sys.argv[2]) / f"{case.name}.onnx").write_bytes(case.model.SerializeToString())
    sys.exit()
for folder in sys.argv[1:]:
    sound = []
    for file in sorted(Path(folder).rglob("*.onnx")):
        try:
            onnx.checker.check_model(str(file), full_check=True)
            sound.append(True)
        except Exception as e:  # whatever it raises, the model is not sound
            sound.append(False)
            print("not sound", file, str(e).strip().splitlines()[0])
    print(folder, len(sound), "files,", sum(sound), "sound")
