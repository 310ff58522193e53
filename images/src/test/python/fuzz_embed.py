"""Damages and cuts the images of the matrix, and has `simclr embed` read them in batches:

    python fuzz_embed.py --encoder E.onnx [--images 10000] [--batch 1000] [--formats png,gif,bmp] [--heap 512]

The encoder should return the pixels it gets. Every batch must end with exit code 0 within five seconds an image, a row or a warning
for each file, no class name or stack trace in its output, and for each cut file that is read the row of the whole one.
Needs NumPy, and a project that is built.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
MATRIX = os.path.join(HERE, "..", "resources", "matrix")
SIMCLR = os.path.join(HERE, "..", "..", "..", "..", "simclr")
EXTREMES = [0, 1, 2, 127, 128, 255, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 9999, 20000, 65500]


def files(formats):
    for name in sorted(os.listdir(MATRIX)):
        if name.endswith(".zip") and (not formats or name[:-4] in formats):
            with zipfile.ZipFile(os.path.join(MATRIX, name)) as archive:
                names = set(archive.namelist())
                for entry in sorted(names):
                    stem, ending = os.path.splitext(entry)
                    if ending not in (".rgb", ".refused", ".tolerance") and stem + ".rgb" in names:
                        yield name[:-4], ending, archive.read(entry)


def damaged(data, rng):
    b = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(5)
        at = rng.randrange(len(b))
        if kind == 0:
            for _ in range(rng.randint(1, 8)):
                b[rng.randrange(len(b))] ^= 1 << rng.randrange(8)
        elif kind == 1:
            b[at] = rng.randrange(256)
        elif kind == 2:
            size = rng.choice((1, 2, 4))
            at = rng.randrange(min(len(b), 80))
            b[at:at + size] = (rng.choice(EXTREMES) & (1 << 8 * size) - 1).to_bytes(size, rng.choice(("little", "big")))
        elif kind == 3:
            del b[at:at + rng.randint(1, 40)]
        else:
            b[at:at] = b[at:at + rng.randint(1, 40)]
        if not b:
            b = bytearray(data[:1])
    return bytes(b)


def embed(folder, out, options):
    environment = dict(os.environ, SIMCLR_JAVA_OPTS=f"-Xmx{options.heap}m", LC_ALL="C.UTF-8")
    command = [SIMCLR, "embed", "--encoder", options.encoder, "--images", folder, "--out", out + ".npy", "--json", out + ".json"]
    count = len(os.listdir(folder))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60 + 5 * count)
    trouble = re.search(r"^\s+at .*\(|\b(java|javax|com\.|org\.)[\w.]*\.\w+(Exception|Error)|OutOfMemory", done.stdout + done.stderr, re.M)
    if done.returncode != 0 or trouble:
        sys.exit(f"{folder}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
    summary = json.load(open(out + ".json"))
    rows = dict(zip((os.path.basename(p) for p in open(out + ".npy.txt").read().splitlines()), np.load(out + ".npy")))
    if len(rows) + len(summary["skipped"]) != count or len(rows) != summary["images"]:
        sys.exit(f"{folder}: {count} files, {len(rows)} rows and {len(summary['skipped'])} skipped")
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--formats", type=lambda s: s.split(","), default=[])
    parser.add_argument("--heap", type=int, default=512)
    options = parser.parse_args()
    wholes = list(files(options.formats))
    counts = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "whole")
        os.mkdir(folder)
        for i, (_, ending, data) in enumerate(wholes):
            open(os.path.join(folder, f"{i}{ending}"), "wb").write(data)
        expected = embed(folder, os.path.join(scratch, "whole"), options)
        for first in range(0, options.images, options.batch):
            rng = random.Random(first)
            folder = os.path.join(scratch, f"batch-{first}")
            os.mkdir(folder)
            made = {}
            for i in range(first, min(options.images, first + options.batch)):
                kind, ending, data = wholes[i % len(wholes)]
                for how, changed in (("damaged", damaged(data, rng)), ("cut", data[:rng.randrange(len(data))])):
                    name = f"{how}-{i}{ending}"
                    made[name] = (how, kind, f"{i % len(wholes)}{ending}")
                    open(os.path.join(folder, name), "wb").write(changed)
            # One that is always read: a batch of nothing but damaged images is an error.
            good = next(iter(expected))
            open(os.path.join(folder, "good" + os.path.splitext(good)[1]), "wb").write(
                open(os.path.join(scratch, "whole", good), "rb").read())
            start = time.time()
            rows = embed(folder, os.path.join(scratch, "out"), options)
            for name, (how, kind, whole) in made.items():
                read = name in rows
                counts[kind, how, "read" if read else "refused"] += 1
                if how == "cut" and read and not (whole in expected and np.array_equal(rows[name], expected[whole])):
                    sys.exit(f"{name}: accepted, and its pixels differ from those of the whole image; see {folder}")
            print(f"{len(made)} files in {time.time() - start:.0f} s", flush=True)
            subprocess.run(["rm", "-r", folder], check=True)
    for key, n in sorted(counts.items()):
        print(*key, n)


main()
