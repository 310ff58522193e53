"""Makes the JPEG files of this folder, and what Pillow reads from them: python make.py (Pillow 12, NumPy).

expected.txt: name, width, height, the pixels [height, width, 3] in hexadecimal, with the orientation applied.
refused.txt: name, a word of the message.
The files named *-sample.jpg were found or made for bug reports and are not made anew.
"""
import glob
import io
import os
import struct
import warnings

import numpy as np
from PIL import Image, ImageCms, ImageOps

warnings.simplefilter("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
SOF, DHT, SOS, EOI, DQT, APP0, APP1, APP2, ADOBE, COM, DATA = 0xC0, 0xC4, 0xDA, 0xD9, 0xDB, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, -1
w, h = 19, 13
y, x = np.mgrid[0:h, 0:w]
pixels = np.stack([128 + 100 * np.sin(x / 4 + y / 7), 128 + 90 * np.cos(x / 5 - y / 3), 40 + 8 * x + 4 * y], -1)
image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
cmyk = np.asarray(image.convert("CMYK")).copy()
cmyk[..., 3] = 9 * x
cmyk = Image.fromarray(cmyk, "CMYK")
lines = []
refused = []


def encode(i, **options):
    out = io.BytesIO()
    i.save(out, "JPEG", **options)
    return out.getvalue()


def split(b):
    """The segments of a file as pairs of a marker and bytes; DATA for entropy-coded data."""
    out, p = [], 2
    while p < len(b):
        marker = b[p + 1]
        end = p + 2 if marker == EOI else p + 2 + struct.unpack_from(">H", b, p + 2)[0]
        out.append((marker, b[p:end]))
        p = end
        if marker == SOS:
            while not (b[p] == 255 and b[p + 1] != 0 and not 0xD0 <= b[p + 1] <= 0xD7):
                p += 1
            out.append((DATA, b[end:p]))
    return out


def segment(marker, data):
    return marker, bytes([255, marker]) + struct.pack(">H", len(data) + 2) + data


def join(segments):
    return b"\xff\xd8" + b"".join(s for _, s in segments)


def bare(segments):
    return [s for s in segments if not 0xE0 <= s[0] <= 0xEF]


def adobe(transform):
    return segment(ADOBE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def write(name, data):
    with open(name + ".jpg", "wb") as f:
        f.write(data)


def expect(name, data=None):
    if data is not None:
        write(name, data)
    i = ImageOps.exif_transpose(Image.open(name + ".jpg")).convert("RGB")
    lines.append(f"{name}.jpg {i.width} {i.height} {i.tobytes().hex()}")


def refuse(name, word, data):
    write(name, data)
    refused.append(f"{name}.jpg {word}")


def frame(b, change):
    out = []
    for marker, s in split(b):
        if marker == SOF:
            s = bytearray(s)
            change(s)
        out.append((marker, bytes(s)))
    return join(out)


def renamed(segments, ids):
    """Other component ids in place of 1, 2, 3."""
    out = []
    for marker, s in segments:
        s = bytearray(s)
        if marker == SOF:
            s[10::3] = bytes(ids)
        elif marker == SOS:
            for i in range(s[4]):
                s[5 + 2 * i] = ids[s[5 + 2 * i] - 1]
        out.append((marker, bytes(s)))
    return out


jfif = segment(APP0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
files = {
    "grey": encode(image.convert("L")), "grey-progressive": encode(image.convert("L"), progressive=True),
    "444": encode(image, quality=90, subsampling=0), "422": encode(image, quality=90, subsampling=1),
    "420": encode(image, quality=90, subsampling=2), "optimized": encode(image, optimize=True),
    "progressive": encode(image, quality=90, progressive=True, subsampling=0),
    "progressive-420": encode(image, progressive=True, subsampling=2),
    "restart": encode(image, restart_marker_blocks=1), "rgb": encode(image, keep_rgb=True),
    "cmyk": encode(cmyk), "cmyk-progressive": encode(cmyk, progressive=True),
    "flat-progressive": encode(Image.new("RGB", (32, 32)), progressive=True),
    "flat": encode(Image.new("RGB", (24, 16), (128, 128, 128)), optimize=True),
}
for name, data in files.items():
    expect("whole-" + name, data)

# The meaning of the components: all the markers and ids that libjpeg decides by.
s = bare(split(files["444"]))
for ids, text in (((1, 2, 3), "123"), ((0, 1, 2), "012"), (b"RGB", "RGB"), ((9, 4, 7), "947")):
    for transform in (None, 0, 1, 2):
        for j in (False, True):
            head = ([jfif] if j else []) + ([adobe(transform)] if transform is not None else [])
            expect(f"colours-{text}-{'jfif-' if j else ''}{transform}", join(head + renamed(s, ids)))
for transform in (None, 0, 1, 2):
    s = bare(split(files["cmyk"]))
    expect(f"inks-{transform}", join(([] if transform is None else [adobe(transform)]) + s))
    expect(f"inks-jfif-{transform}", join([jfif] + ([] if transform is None else [adobe(transform)]) + s))

# Profiles, none of which may change a pixel.
srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile(n, of, data):
    return segment(APP2, b"ICC_PROFILE\0" + bytes([n, of]) + data)


for name in ("444", "grey", "cmyk"):
    s = split(files[name])
    for text, p in (("empty", [profile(1, 1, b"")]), ("incomplete", [profile(1, 2, srgb)]),
                    ("duplicate", [profile(1, 1, srgb)] * 2), ("rgb", [profile(1, 1, srgb)]),
                    ("numbered-0", [profile(0, 1, srgb)]), ("nonsense", [profile(1, 1, bytes(range(200)))])):
        expect(f"profile-{name}-{text}", join(s[:1] + p + s[1:]))

# Bytes that belong to nothing, and segments in odd places.
for name in ("420", "progressive", "grey", "cmyk", "restart"):
    s = split(files[name])
    first = [m for m, _ in s].index(SOS)
    for text, junk in (("bytes", b"\x12\x34\x56\x78"), ("zeros", bytes(50)), ("fill", b"\xff" * 5), ("stuffed", b"ab\xff\0cd")):
        mixed = []
        for i, pair in enumerate(s):
            mixed += ([(0, junk)] if 0 < i <= first else []) + [pair]
        expect(f"between-{name}-{text}", join(mixed))
    for text, junk in (("padded", bytes(40)), ("behind", b"\x12\x34\x56\x78")):
        expect(f"{text}-{name}", join([(marker, d + junk if marker == DATA else d) for marker, d in s]))
    expect(f"comments-{name}", join(s[:1] + [segment(COM, b"x" * 300)] + s[1:-1] + [segment(COM, b"end"), s[-1]]))
    expect(f"tail-{name}", join(s) + b"garbage" * 9)
    if name != "progressive":
        last = max(i for i, p in enumerate(s) if p[0] == SOS)
        s[last] = SOS, s[last][1][:-3] + bytes(3)
        expect(f"zero-parameters-{name}", join(s))

# Orientation: Exif in all kinds of dress, XMP.


def tiff(value, order="<", kind="H", entries=1):
    number = {"H": 3, "I": 4, "h": 8, "i": 9}[kind]
    stored = struct.pack(order + kind, value).ljust(4, b"\0")
    return ((b"II*\0" if order == "<" else b"MM\0*")
            + struct.pack(order + "IHHHI", 8, entries, 0x112, number, 1) + stored + bytes(4))


def exif(t):
    return segment(APP1, b"Exif\0\0" + t)


def xmp(value, element=False):
    text = (f"<rdf:Description><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>" if element
            else f'<rdf:Description tiff:Orientation="{value}"/>')
    return segment(APP1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:RDF>" + text.encode() + b"</rdf:RDF></x:xmpmeta>")


s = split(files["420"])
nothing = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x10F, 2, 4, 0x414141) + bytes(4)
for text, segments in {
        **{f"{kind}-{'le' if o == '<' else 'be'}": [exif(tiff(6, o, kind))] for kind in "HIhi" for o in "<>"},
        "zero": [exif(tiff(0))], "nine": [exif(tiff(9))],
        **{f"xmp-{n}": [xmp(n)] for n in (1, 3, 5, 8, 9)}, "xmp-element": [xmp(6, True)],
        "exif-wins": [exif(tiff(3)), xmp(6)], "exif-wins-behind": [xmp(6), exif(tiff(3))], "exif-1-wins": [exif(tiff(1)), xmp(6)],
        "exif-without": [exif(nothing), xmp(6)], "exif-twice": [exif(tiff(6)), exif(tiff(3))],
        **{f"split-{n}": [exif(tiff(8, ">")[:n]), exif(tiff(8, ">")[n:])] for n in (9, 13, 20)},
        "padded": [exif(tiff(7) + bytes(99))], "late": [segment(COM, b"c"), segment(0xED, b"Photoshop 3.0\0"), exif(tiff(5))],
        "extended-xmp": [segment(APP1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + xmp(6)[1])]}.items():
    expect("orientation-" + text, join(s[:1] + segments + s[1:]))

for name in sorted(glob.glob("*-sample.jpg")):
    expect(name[:-4])

# What is refused by name.
for marker, word in ((0xC3, "lossless"), (0xC5, "hierarchical"), (0xC6, "hierarchical"), (0xC7, "hierarchical"), (0xC9, "arithmetic"),
                     (0xCA, "arithmetic"), (0xCB, "lossless"), (0xCD, "hierarchical"), (0xCF, "hierarchical"), (0xF7, "JPEG-LS")):
    refuse(f"frame-{marker:x}", word, frame(files["grey"], lambda d: d.__setitem__(1, marker)))
refuse("bits-12", "12 bits", frame(files["grey"], lambda d: d.__setitem__(4, 12)))
refuse("no-height", "height", frame(files["grey"], lambda d: d.__setitem__(slice(5, 7), bytes(2))))


def two(d):
    d[2:] = struct.pack(">H", 14) + d[4:9] + b"\2" + d[10:16]


refuse("components-2", "2 components", frame(files["444"], two))

with open("expected.txt", "w") as f:
    f.write("\n".join(lines) + "\n")
with open("refused.txt", "w") as f:
    f.write("\n".join(refused) + "\n")
