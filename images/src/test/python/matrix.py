"""What the scripts of the image matrix share: the picture, the rules for expected pixels, and the archive that the test reads."""
import io
import os
import struct
import zipfile

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 20, 14
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
"""A picture without symmetry, [14, 20, 3]: gradients, and a square in a corner that shows how it is turned."""
RGB = np.stack([20 + 11 * x, 15 + 16 * y, 240 - 5 * x - 7 * y], -1).astype(np.uint8)
RGB[1:5, 2:8] = (250, 250, 240)
ALPHA = np.clip(255 - 13 * x + 3 * y, 0, 255).astype(np.uint8)
ALPHA[6:9, 3:9] = 0


def large(width=150, height=110):
    """A larger picture with edges, noise and areas of one colour, [height, width, 3]."""
    row, column = np.mgrid[0:height, 0:width]
    wave = 127 + 60 * np.sin(column / 13) + 60 * np.cos(row / 7 + column / 40)
    picture = np.stack([wave, wave * row / height, column * 255 / width], -1)
    picture[20:60, 30:70] = (200, 30, 60)
    picture[:, 100:] += np.random.RandomState(5).randint(-20, 20, (height, width - 100, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def over(values, alpha):
    """Lays 8-bit values over black."""
    return ((values.astype(np.int64) * alpha.astype(np.int64) + 127) // 255).astype(np.uint8)


def turned(pixels, orientation):
    """Turns pixels as an Exif orientation says."""
    if orientation in (2, 3, 7, 8):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 6, 7):
        pixels = pixels[::-1]
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    return pixels


def pillow(data, transpose=True):
    """The pixels that Pillow reads, by the rules of docs/images.md."""
    image = Image.open(io.BytesIO(data))
    image.load()
    if transpose:
        image = ImageOps.exif_transpose(image)
    if image.mode == "CMYK":
        c = np.asarray(image).astype(np.int64)
        return over(255 - c[..., :3], 255 - c[..., 3:])
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64)
        return np.repeat((grey >> 8)[..., None], 3, -1).astype(np.uint8)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        a = np.asarray(image.convert("RGBA"))
        return over(a[..., :3], a[..., 3:])
    return np.asarray(image.convert("RGB"))


def exif(orientation, order="<", kind=3, head=b""):
    """An Exif block (a TIFF structure) with nothing but an orientation, a SHORT (3) or a LONG (4)."""
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    return head + (b"II" if order == "<" else b"MM") + struct.pack(order + "HIHHHI", 42, 8, 1, 0x112, kind, 1) + value \
        + struct.pack(order + "I", 0)


def xmp(orientation, element=False):
    """An XMP packet with an orientation, as an attribute or an element."""
    if element:
        inner = f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><tiff:Orientation>{orientation}' \
                "</tiff:Orientation></rdf:Description>"
    else:
        inner = f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            + inner + "</rdf:RDF></x:xmpmeta>").encode()


def profile():
    """A colour profile that a program which applied it would show in every pixel: red and blue change places in sRGB's."""
    from PIL import ImageCms
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    tags = {bytes(data[132 + 12 * i:136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    data[red:red + 4], data[blue:blue + 4] = data[blue:blue + 4], data[red:red + 4]
    return bytes(data)


class Matrix:
    """The files of a format. In the archive each NAME.ext has beside it NAME.rgb (width and height as big-endian integers, then
    the bytes), with NAME.tolerance (the largest and the mean difference allowed) where it is not to be met exactly, or NAME.refused
    (a regular expression for the message)."""

    def __init__(self, extension):
        self.extension = extension
        self.entries = {}
        self.images = 0

    def add(self, name, data, pixels, tolerance=None):
        pixels = np.ascontiguousarray(pixels)
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3, (name, pixels.dtype, pixels.shape)
        self._put(name + "." + self.extension, data)
        self._put(name + ".rgb", struct.pack(">II", pixels.shape[1], pixels.shape[0]) + pixels.tobytes())
        if tolerance:
            self._put(name + ".tolerance", f"{tolerance[0]} {tolerance[1]}".encode())
        self.images += 1

    def refuse(self, name, data, message):
        self._put(name + "." + self.extension, data)
        self._put(name + ".refused", message.encode())
        self.images += 1

    def _put(self, name, data):
        assert name not in self.entries, name
        self.entries[name] = bytes(data)

    def write(self, name):
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "resources", "matrix")
        path = os.path.join(folder, name)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for entry, data in self.entries.items():
                info = zipfile.ZipInfo(entry)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data, compresslevel=9)
        print(f"{name}: {self.images} images, {os.path.getsize(path)} bytes")
