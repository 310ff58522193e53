"""Makes tiff/cases.zip: files that were read wrongly once, and what they must give (NumPy, Pillow, tifffile and imagecodecs).

    python tiff_cases.py FOLDER ../resources/tiff/cases.zip

FOLDER holds the files. Their samples are read with tifffile, those of one bit with Pillow, and become RGB by the rules of
docs/images.md. The layout of the archive is that of tiff_matrix.py.
"""
import pathlib
import struct
import sys
import zipfile

import numpy as np
import tifffile
from PIL import Image

REFUSED = {"big": "BigTIFF", "float32": "32-bit floating point", "float16": "16-bit floating point", "cfa": "raw sensor data",
           "cielab-8": "CIELab", "icclab-8": "ICCLab"}


def pixels(file):
    if file.stem.startswith("1bit"):
        return np.asarray(Image.open(file).convert("RGB"))
    with tifffile.TiffFile(file) as t:
        page = t.pages[0]
        v = page.asarray().astype(np.int64)
        v = v.reshape(page.imagelength, page.imagewidth, -1)
        bits = np.ravel(page.bitspersample)[0]
        assert not set(map(int, page.extrasamples)) - {0}
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            return (np.asarray(page.colormap) >> 8)[:, v[..., 0]].transpose(1, 2, 0)
        e = v >> bits - 8 if bits >= 8 else v * 255 // ((1 << int(bits)) - 1)
        if page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
            return ((255 - e[..., :3]) * (255 - e[..., 3:4]) + 127) // 255
        if page.photometric == tifffile.PHOTOMETRIC.RGB:
            return e[..., :3]
        e = np.repeat(e[..., :1], 3, -1)
        return 255 - e if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE else e


with zipfile.ZipFile(sys.argv[2], "w") as archive:
    def add(name, data):
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)

    for file in sorted(pathlib.Path(sys.argv[1]).glob("**/tiff-*/*.tif")):
        add(file.stem + ".tif", file.read_bytes())
        if file.stem in REFUSED:
            add(file.stem + ".refused", REFUSED[file.stem])
        else:
            p = pixels(file)
            add(file.stem + ".rgb", struct.pack(">II", p.shape[1], p.shape[0]) + p.astype(np.uint8).tobytes())
