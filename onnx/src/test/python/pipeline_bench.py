"""The same as PipelineBench by hand in Python: Pillow and onnxruntime. See docs/onnx.md.

python pipeline_bench.py FOLDER ENCODER.onnx SIZE CORES IMAGES ROUNDS
"""
import glob
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from PIL import Image

folder, encoder = sys.argv[1:3]
size, cores, count, rounds = map(int, sys.argv[3:7])
files = sorted(glob.glob(folder + "/**/*.jpg", recursive=True))
files = [files[i % len(files)] for i in range(count)]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = cores
session = onnxruntime.InferenceSession(encoder, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name


def read(file):
    with Image.open(file) as image:
        image = image.convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        if image.size != (size, size):
            image = image.crop((left, top, left + side, top + side)).resize((size, size), Image.BILINEAR)
        return np.asarray(image)


# A plain loop reads in its own thread; a pool of threads keeps all cores busy with that, too.
with ThreadPoolExecutor(cores) as pool:
    ways = [(how, reader, batch) for how, reader in (("loop", map), ("pool", pool.map)) for batch in (4, 32)]
    spent = [[0.0, 0.0] for _ in ways]
    # All in turn, round by round, so that what else the machine does falls on all of them alike.
    for r in range(-1, rounds):
        for way, (_, reader, batch) in enumerate(ways):
            start = time.time(), time.process_time()
            for i in range(0, count, batch):
                images = np.stack(list(reader(read, files[i:i + batch])))
                session.run(None, {name: images})
            if r >= 0:
                spent[way][0] += time.time() - start[0]
                spent[way][1] += time.process_time() - start[1]
for (how, _, batch), (clock, cpu) in zip(ways, spent):
    print(f"{os.path.basename(folder)} {os.path.basename(encoder)} {size} px, {cores} cores, {how}, batch {batch}: "
          f"{rounds * count / clock:.1f} images/s of the clock, {rounds * count / cpu:.1f} of the CPU", flush=True)
