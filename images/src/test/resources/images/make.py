"""Makes the images of this folder, and what Pillow reads from them: python make.py (Pillow 12, NumPy).

expected.txt: name, width, height, tolerance, the pixels [height, width, 3] in hexadecimal.
resize.txt: file, side, the pixels of the file after its centre square is resized with Pillow's BILINEAR.
"""
import os, struct, zlib
import numpy as np
from PIL import Image, ImageOps

os.chdir(os.path.dirname(os.path.abspath(__file__)))
w, h = 11, 7
y, x = np.mgrid[0:h, 0:w]
rgb = np.stack([20 + 20 * x, 30 + 30 * y, 250 - 11 * x - 17 * y], -1).astype(np.uint8)
alpha = (255 - 23 * x).astype(np.uint8)
image = Image.fromarray(rgb)
lines = []


def expect(name, tolerance, pixels=None):
    if pixels is None:
        i = ImageOps.exif_transpose(Image.open(name))
        if i.mode in ("LA", "PA", "RGBA") or "transparency" in i.info:
            i = i.convert("RGBA")
            i = Image.alpha_composite(Image.new("RGBA", i.size, (0, 0, 0, 255)), i)
        pixels = np.asarray(i.convert("RGB"))
    lines.append(f"{name} {pixels.shape[1]} {pixels.shape[0]} {tolerance} {pixels.astype(np.uint8).tobytes().hex()}")


def save(img, name, tolerance=0, **options):
    img.save(name, **options)
    expect(name, tolerance)


def exif(orientation):
    e = Image.Exif()
    e[0x0112] = orientation
    return e.tobytes()


jpeg = dict(quality=95, subsampling=0)
for o in range(1, 9):
    save(image, f"orientation-{o}.jpg", 4, exif=exif(o), **jpeg)
save(image, "orientation-6.png", exif=exif(6))
save(image, "orientation-8.webp", lossless=True, exif=exif(8))
save(image, "orientation-5.tif", exif=exif(5))
save(image, "progressive.jpg", 4, progressive=True, **jpeg)
save(image, "subsampled.jpg", 8, quality=95, subsampling=2)
save(image.convert("L"), "grey.jpg", 4, quality=95)
save(image.convert("CMYK"), "cmyk.jpg", 5, **jpeg)
ycck = bytearray(open("cmyk.jpg", "rb").read())
ycck[ycck.index(b"Adobe") + 11] = 2
open("ycck.jpg", "wb").write(ycck)
expect("ycck.jpg", 5)

save(image, "rgb.png")
save(image.quantize(16), "palette.png")
p = image.quantize(16)
p.info["transparency"] = bytes([0, 60, 120, 180, 240])
save(p, "palette-alpha.png", 1, transparency=p.info["transparency"])
save(image.convert("L"), "grey.png")
save(image.convert("1"), "one-bit.png")
save(Image.merge("LA", (image.convert("L"), Image.fromarray(alpha))), "grey-alpha.png", 1)
save(Image.merge("RGBA", (*image.split(), Image.fromarray(alpha))), "alpha.png", 1)


def png16(name, values, colour):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    open(name, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, colour, 0, 0, 0))
                           + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


wide = rgb.astype(np.uint16) * 256 + 201
png16("rgb-16.png", wide, 2)
expect("rgb-16.png", 0, rgb)
png16("grey-16.png", wide[..., 0], 0)
expect("grey-16.png", 0, np.repeat(rgb[..., :1], 3, -1))

save(image, "lossless.webp", lossless=True)
save(image.convert("L").convert("RGB"), "lossy.webp", quality=95)
save(image, "lossy-colour.webp", quality=95)
save(Image.merge("RGBA", (*image.split(), Image.fromarray(alpha))), "alpha.webp", 1, lossless=True, exact=True)
save(image, "rgb.bmp")
save(image.quantize(16), "palette.bmp")
save(image.quantize(16), "palette.gif")
moved = bytearray(open("palette.gif", "rb").read())
struct.pack_into("<HH", moved, 6, w + 5, h + 4)
d = moved.index(b"\x2c\0\0\0\0" + struct.pack("<HH", w, h))
struct.pack_into("<HH", moved, d + 1, 3, 2)
open("moved.gif", "wb").write(moved)
screen = np.zeros((h + 4, w + 5, 3), np.uint8)
screen[2:2 + h, 3:3 + w] = np.asarray(Image.open("palette.gif").convert("RGB"))
expect("moved.gif", 0, screen)
save(image, "rgb.tif")
save(image, "lzw.tif", compression="tiff_lzw")
save(image, "deflate.tif", compression="tiff_adobe_deflate")
save(image.convert("CMYK"), "cmyk.tif", 1)
save(image.quantize(16), "palette.tif", 1)
Image.fromarray(wide[..., 0]).save("grey-16.tif")
expect("grey-16.tif", 0, np.repeat(rgb[..., :1], 3, -1))
open("expected.txt", "w").write("\n".join(lines) + "\n")

photo = np.random.RandomState(1).randint(0, 256, (13, 17, 3)).repeat(3, 0).repeat(3, 1).astype(np.uint8)[:37, :50]
Image.fromarray(photo).save("resize.png")
square = Image.fromarray(photo[:, 6:43])
whole = Image.open("36x36.png").convert("RGB")  # has sums that lie halfway between two values
open("resize.txt", "w").write("".join(
    f"{name} {n} {i.resize((n, n), Image.BILINEAR).tobytes().hex()}\n"
    for name, i, sides in (("resize.png", square, (8, 16, 25, 37, 48)), ("36x36.png", whole, (9, 32, 40))) for n in sides))
