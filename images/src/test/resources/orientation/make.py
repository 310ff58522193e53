"""Makes files that say in many ways from where they are to be looked at, and what Pillow understands: python make.py (Pillow 12).

expected.txt: name, the orientation that Pillow's ImageOps.exif_transpose goes by.
"""
import io
import os
import struct
import zlib

from PIL import Image, TiffImagePlugin

os.chdir(os.path.dirname(os.path.abspath(__file__)))
image = Image.new("RGB", (3, 2), (200, 100, 50))
out = io.BytesIO()
image.save(out, "PNG")
png = out.getvalue()
lines = []


def tiff(value, order="<", kind="H"):
    stored = struct.pack(order + kind, value).ljust(4, b"\0")
    return ((b"II*\0" if order == "<" else b"MM\0*")
            + struct.pack(order + "IHHHI", 8, 1, 0x112, {"H": 3, "I": 4}[kind], 1) + stored + bytes(4))


nothing = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x10F, 2, 4, 0x414141) + bytes(4)


def xmp(value, element=False):
    return (f"<rdf:Description><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>" if element
            else f'<rdf:Description tiff:Orientation="{value}"/>').encode()


def raw(data):
    digits = data.hex()
    return (f"\nexif\n{len(data):8}\n" + "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72)) + "\n").encode()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def expect(name):
    i = Image.open(name)
    i.load()
    lines.append(f"{name} {i.getexif().get(0x112, 1)}")


def insert(name, *chunks):
    for place, at in (("before", 33), ("after", png.index(b"IEND") - 4)):
        with open(f"{name}-{place}.png", "wb") as f:
            f.write(png[:at] + b"".join(chunks) + png[at:])
        expect(f"{name}-{place}.png")


packet = b"XML:com.adobe.xmp\0\0\0\0\0"
insert("exif", chunk(b"eXIf", tiff(6, ">", "I")))
insert("raw-text", chunk(b"tEXt", b"Raw profile type exif\0" + raw(b"Exif\0\0" + tiff(8))))
insert("raw-deflated", chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw(b"Exif\0\0" + tiff(5)))))
insert("raw-bare", chunk(b"tEXt", b"Raw profile type exif\0" + raw(tiff(3, ">"))))
insert("xmp", chunk(b"iTXt", packet + xmp(7)))
insert("xmp-deflated", chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0key\0" + zlib.compress(xmp(2, True))))
insert("exif-wins", chunk(b"iTXt", packet + xmp(6)), chunk(b"eXIf", tiff(3)))
insert("exif-wins-over-text", chunk(b"tEXt", b"Raw profile type exif\0" + raw(tiff(6))), chunk(b"eXIf", tiff(4)))
insert("exif-without", chunk(b"iTXt", packet + xmp(6)), chunk(b"eXIf", nothing))
insert("damaged", chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0xx"), chunk(b"tEXt", b"XML:com.adobe.xmp"),
       chunk(b"zTXt", b"Raw profile type exif\0"))
for name, options in {
        "exif": dict(exif=b"Exif\0\0" + tiff(6, ">", "I")), "xmp": dict(xmp=xmp(8)), "both": dict(xmp=xmp(6), exif=tiff(3)),
        "without": dict(xmp=xmp(6, True), exif=nothing)}.items():
    image.save(name + ".webp", lossless=True, **options)
    expect(name + ".webp")
for name, tags in {"tag": {274: 6}, "xmp": {700: xmp(5)}, "both": {700: xmp(6), 274: 3}}.items():
    image.save(name + ".tif", tiffinfo=tags)
for order, prefix in (("le", b"II"), ("be", b"MM")):
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=prefix)
    tags.tagtype[274] = 4
    tags[274] = 6
    image.save(f"long-{order}.tif", tiffinfo=tags)
# Pillow turns TIFF files when it loads them and forgets the tag.
for name in ("tag", "xmp", "both", "long-le", "long-be"):
    lines.append(f"{name}.tif {Image.open(name + '.tif').getexif().get(0x112, 1)}")
with open("expected.txt", "w") as f:
    f.write("\n".join(lines) + "\n")
