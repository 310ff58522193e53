"""Makes ../resources/matrix/cases.zip, which ImageMatrixTest reads: python cases_matrix.py FOLDER

FOLDER has a folder a fault with the small images on which earlier versions failed. Needs Pillow 12 and NumPy. Expected are Pillow's pixels
with the orientation applied and what is transparent laid over black, or a refusal.
"""
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# What a file is refused with, by the beginning of its path.
REFUSED = {
    'refused-formats/empty': 'empty', 'refused-formats/heic': 'HEIC', 'refused-formats/html': 'HTML page', 'refused-formats/jxl': 'JPEG XL',
    'refused-formats/really-avif': 'AVIF', 'hostile/cut-at-10': 'cut WebP|damaged WebP',
    'hostile/cut-progressive-accepted': 'cut short',
    'hostile/hang-57': 'cut WebP|damaged WebP', 'hostile/slow-1': 'cut WebP|damaged WebP', 'hostile/oom-any-heap': 'BMP',
}
# Of no use here, of a kind that another archive has, or too large.
LEFT_OUT = ('tiff-', 'webp-lossy/nat1', 'webp-lossy/nat0-lossless', 'webp-lossless', 'oom-large-image/98MP', 'hostile/oom-37',
            'unread-endings/IMG_1', 'unread-endings/e.', 'unread-endings/f.', 'unread-endings/g.', 'unread-endings/h.')
ENDINGS = {'.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.bmp', '.dib', '.gif', '.tif', '.tiff'}


def pixels(path):
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode in ('RGBA', 'LA', 'PA') or 'transparency' in image.info:
        rgba = np.asarray(image.convert('RGBA')).astype(int)
        return ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)
    return np.asarray(image.convert('RGB'))


def main(folder):
    target = Path(__file__).parent / '../resources/matrix/cases.zip'
    with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        def put(name, content):
            out.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
        for file in sorted(folder.rglob('*')):
            path = file.relative_to(folder).as_posix()
            if file.suffix.lower() not in ENDINGS or path.startswith(LEFT_OUT):
                continue
            name = path.replace('/', '-')
            stem = name[:-len(file.suffix)] + '-' + file.suffix[1:].lower()
            refusal = next((r for start, r in REFUSED.items() if path.startswith(start)), None)
            tolerance = '4 1' if file.suffix.lower() in ('.jpg', '.jpeg', '.jpe', '.jfif') else None
            if refusal:
                put(stem + '.refused', refusal)
            else:
                rgb = pixels(file)
                put(stem + '.rgb', struct.pack('>II', rgb.shape[1], rgb.shape[0]) + rgb.tobytes())
                if tolerance:
                    put(stem + '.tolerance', tolerance)
            put(stem + file.suffix.lower(), file.read_bytes())
    print(target.stat().st_size, 'bytes')


main(Path(sys.argv[1]))
