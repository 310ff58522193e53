"""Makes matrix.zip: WebP files, each with what Pillow reads from it: python make.py (Pillow 12 from a wheel, NumPy).

For every NAME.webp there is a NAME.png of the same pixels, alpha laid over black. The files are written by the libwebp that Pillow
brings, called directly, since Pillow offers few of its settings. What no encoder writes is put together from chunks.
"""
import ctypes, glob, io, os, struct, zipfile
import numpy as np
import PIL
from PIL import Image, ImageCms

# libwebp's encoder through its C interface: structures by the offsets of their fields (encode.h, 64 bits).
libs = os.path.join(os.path.dirname(PIL.__file__), os.pardir, "pillow.libs")
ctypes.CDLL(glob.glob(libs + "/libsharpyuv*")[0], mode=ctypes.RTLD_GLOBAL)
W = ctypes.CDLL(glob.glob(libs + "/libwebp-*")[0])
FIELDS = ("lossless quality method image_hint target_size target_PSNR segments sns_strength filter_strength filter_sharpness "
          "filter_type autofilter alpha_compression alpha_filtering alpha_quality passes show_compressed preprocessing partitions "
          "partition_limit emulate_jpeg_size thread_level low_memory near_lossless exact use_delta_palette use_sharp_yuv qmin "
          "qmax").split()
ABI = 0x0210


def encode(pixels, **options):
    h, w, channels = pixels.shape
    if channels == 3:
        pixels = np.concatenate([pixels, np.full((h, w, 1), 255, np.uint8)], -1)
    config = ctypes.create_string_buffer(256)
    assert W.WebPConfigInitInternal(config, 0, ctypes.c_float(75), ABI)
    for key, value in options.items():
        struct.pack_into("<f" if key in ("quality", "target_PSNR") else "<i", config, 4 * FIELDS.index(key), value)
    assert W.WebPValidateConfig(config), options
    picture = ctypes.create_string_buffer(512)
    assert W.WebPPictureInitInternal(picture, ABI)
    struct.pack_into("<i", picture, 0, 1)
    struct.pack_into("<ii", picture, 8, w, h)
    assert W.WebPPictureImportRGBA(picture, pixels.tobytes(), 4 * w)
    out = ctypes.create_string_buffer(64)
    W.WebPMemoryWriterInit(out)
    struct.pack_into("<QQ", picture, 96, ctypes.cast(W.WebPMemoryWrite, ctypes.c_void_p).value, ctypes.addressof(out))
    assert W.WebPEncode(config, picture)
    data = ctypes.string_at(*struct.unpack_from("<QQ", out))
    W.WebPMemoryWriterClear(out)
    W.WebPPictureFree(picture)
    return data


def chunks(data):
    at, found = 12, {}
    while at < len(data):
        length, = struct.unpack_from("<I", data, at + 4)
        found.setdefault(data[at:at + 4], data[at + 8:at + 8 + length])
        at += 8 + length + (length & 1)
    return found


def chunk(name, payload):
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)


def riff(*parts):
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(n):
    return struct.pack("<I", n)[:3]


def vp8x(w, h, flags):
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + u24(w - 1) + u24(h - 1))


ANIMATION, XMP, EXIF, ALPHA, ICC = 2, 4, 8, 16, 32
ANIM = chunk(b"ANIM", bytes([10, 200, 30, 255, 0, 0]))


def frame(x, y, w, h, *parts):
    return chunk(b"ANMF", u24(x // 2) + u24(y // 2) + u24(w - 1) + u24(h - 1) + u24(40) + b"\0" + b"".join(parts))


def image(data):
    c = chunks(data)
    return [chunk(n, c[n]) for n in (b"ALPH", b"VP8 ", b"VP8L") if n in c]


random = np.random.default_rng(16)


def photo(w, h):
    """Smooth shapes, edges and some noise."""
    y, x = np.mgrid[0:h, 0:w] / 16.0
    p = random.uniform(0.2, 3, (3, 4))
    v = [120 + 60 * np.sin(a * x + b) + 60 * np.cos(c * y + d * x) for a, b, c, d in p]
    v = np.stack(v, -1) + random.normal(0, 6, (h, w, 3))
    cx, cy, r = random.uniform(0, w), random.uniform(0, h), max(w, h) / 4
    yy, xx = np.mgrid[0:h, 0:w]
    v[(xx - cx) ** 2 + (yy - cy) ** 2 < r * r] = random.integers(0, 256, 3)
    return np.clip(v, 0, 255).astype(np.uint8)


def noise(w, h):
    return random.integers(0, 256, (h, w, 3), dtype=np.uint8)


def colours(w, h, n):
    table = random.integers(0, 256, (n, 3), dtype=np.uint8)
    return table[random.integers(0, n, (h // 2 + 1, w // 2 + 1)).repeat(2, 0).repeat(2, 1)[:h, :w]]


def steep(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return np.where(((x // 3 + y // 5) % 2 == 0)[..., None], [255, 0, 0], [0, 0, 255]).astype(np.uint8)


def grey(w, h):
    return photo(w, h)[..., :1].repeat(3, -1)


def opacity(kind, w, h):
    y, x = np.mgrid[0:h, 0:w]
    return {"ramp": (x * 255 // max(1, w - 1)), "noise": random.integers(0, 256, (h, w)), "binary": 255 * ((x // 4 + y // 3) % 2),
            "levels": 85 * ((x + y) // 5 % 4), "half": np.full((h, w), 128), "clear": np.zeros((h, w)),
            "diagonal": (3 * x + 5 * y) % 256}[kind].astype(np.uint8)[..., None]


files = {}


def add(name, data):
    assert name not in files, name
    i = Image.open(io.BytesIO(data))
    a = np.asarray(i.convert("RGBA")).astype(int)
    i.close()
    expected = ((a[..., :3] * a[..., 3:] + 127) // 255).astype(np.uint8)
    files[name] = data, expected


SIZES = [(1, 1), (2, 3), (15, 17), (16, 16), (33, 18), (48, 40), (17, 1), (1, 40), (31, 64), (5, 8)]
PICTURES = {"photo": photo, "noise": noise, "steep": steep, "grey": grey, "few": lambda w, h: colours(w, h, 12)}

# Lossy, opaque.
n = 0
for w, h in SIZES:
    for quality in (0, 10, 50, 75, 90, 100):
        kind = list(PICTURES)[n % 5]
        method = (0, 4, 6, 2, 1, 3, 5)[n % 7]
        add(f"lossy-{kind}-{w}x{h}-q{quality}-m{method}", encode(PICTURES[kind](w, h), quality=quality, method=method))
        n += 1
for method in range(7):
    add(f"lossy-method-{method}", encode(photo(40, 33), quality=60, method=method))
for kind in (0, 1):
    for strength in (0, 5, 30, 60, 100):
        for sharpness in (0, 3, 7):
            add(f"lossy-filter-{kind}-strength-{strength}-sharpness-{sharpness}", encode(
                photo(37, 35), quality=(5, 30, 80)[sharpness % 3], filter_type=kind, filter_strength=strength,
                filter_sharpness=sharpness))
for partitions in range(4):
    add(f"lossy-partitions-{partitions}", encode(photo(20, 150), quality=70, partitions=partitions))
for segments in range(1, 5):
    add(f"lossy-segments-{segments}", encode(np.concatenate([photo(48, 24), noise(48, 24), steep(48, 16)]), quality=40,
                                             segments=segments, sns_strength=100, method=4))
for options in (dict(autofilter=1), dict(passes=6, target_size=500), dict(use_sharp_yuv=1), dict(partition_limit=100),
                dict(preprocessing=2), dict(qmin=60, qmax=61)):
    add("lossy-" + "-".join(options).replace("_", "-"), encode(photo(45, 39), quality=50, **options))
opaque = encode(photo(27, 21), quality=70)
body = chunks(opaque)[b"VP8 "]
for version in (1, 2, 3):
    add(f"lossy-version-{version}", riff(chunk(b"VP8 ", bytes([body[0] & ~14 | version << 1]) + body[1:])))
add("lossy-scale-bits", riff(chunk(b"VP8 ", body[:7] + bytes([body[7] | 0x40, body[8], body[9] | 0x80]) + body[10:])))

# Lossy with alpha.
for kind in ("ramp", "noise", "binary", "levels", "half", "clear", "diagonal"):
    for compression in (0, 1):
        for filtering in (0, 1, 2):
            w, h = SIZES[(n := n + 1) % len(SIZES)]
            add(f"lossy-alpha-{kind}-compression-{compression}-filtering-{filtering}-{w}x{h}", encode(
                np.concatenate([photo(w, h), opacity(kind, w, h)], -1), quality=60, alpha_compression=compression,
                alpha_filtering=filtering, exact=n % 2))
    for quality in (0, 30, 80):
        add(f"lossy-alpha-{kind}-quality-{quality}", encode(
            np.concatenate([photo(30, 19), opacity(kind, 30, 19)], -1), quality=60, alpha_quality=quality))
for method in range(4):
    for processed in (0, 1):
        plane = opacity("diagonal", 27, 21)
        header = bytes([method << 2 | processed << 4])
        add(f"lossy-alpha-raw-filter-{method}-processed-{processed}",
            riff(vp8x(27, 21, ALPHA), chunk(b"ALPH", header + plane.tobytes()), chunk(b"VP8 ", body)))
packed = chunks(encode(np.concatenate([photo(27, 21), opacity("diagonal", 27, 21)], -1), alpha_filtering=0))[b"ALPH"]
for method in range(4):
    add(f"lossy-alpha-packed-filter-{method}",
        riff(vp8x(27, 21, ALPHA), chunk(b"ALPH", bytes([1 | method << 2]) + packed[1:]), chunk(b"VP8 ", body)))
raw = chunk(b"ALPH", b"\0" + opacity("ramp", 27, 21).tobytes())
add("lossy-alpha-without-flag", riff(vp8x(27, 21, 0), raw, chunk(b"VP8 ", body)))
add("lossy-alpha-with-longer-plane", riff(vp8x(27, 21, ALPHA), chunk(b"ALPH", b"\0" + bytes(range(256)) * 3),
                                          chunk(b"VP8 ", body)))
add("lossy-flag-without-alpha", riff(vp8x(27, 21, ALPHA), chunk(b"VP8 ", body)))

# Lossless.
for w, h in SIZES:
    for kind in PICTURES:
        method = (n := n + 1) % 7
        add(f"lossless-{kind}-{w}x{h}-m{method}", encode(PICTURES[kind](w, h), lossless=1, quality=(0, 50, 100)[n % 3], method=method,
                                                        exact=1))
for count in (1, 2, 3, 4, 5, 16, 17, 100, 255, 256):
    for w, h in ((37, 22), (64, 9)):
        add(f"lossless-colours-{count}-{w}x{h}", encode(colours(w, h, count), lossless=1, method=count % 7))
for kind in ("ramp", "noise", "binary", "levels", "half", "clear", "diagonal"):
    for exact in (0, 1):
        add(f"lossless-alpha-{kind}-exact-{exact}", encode(
            np.concatenate([photo(29, 26), opacity(kind, 29, 26)], -1), lossless=1, exact=exact, method=4))
for level in (0, 20, 60, 80):
    add(f"lossless-near-{level}", encode(photo(41, 33), lossless=1, near_lossless=level))
for quality in (0, 25, 75, 100):
    for method in (0, 3, 6):
        add(f"lossless-quality-{quality}-method-{method}", encode(photo(50, 41), lossless=1, quality=quality, method=method))
add("lossless-several-codes", encode(np.concatenate([photo(90, 40), noise(90, 20), colours(90, 60, 200), steep(90, 20)]), lossless=1,
                                     quality=100, method=6))
add("lossless-repeats", encode(np.tile(colours(24, 10, 40), (6, 4, 1)), lossless=1, quality=100, method=6))
seethrough = encode(np.concatenate([photo(29, 26), opacity("ramp", 29, 26)], -1), lossless=1, exact=1)
vp8l = chunks(seethrough)[b"VP8L"]
add("lossless-alpha-bit-cleared", riff(chunk(b"VP8L", vp8l[:4] + bytes([vp8l[4] & ~0x10]) + vp8l[5:])))
add("lossless-alpha-bit-only", riff(vp8x(29, 26, 0), chunk(b"VP8L", vp8l)))
add("lossless-alpha-flag-only", riff(vp8x(29, 26, ALPHA), chunk(b"VP8L", vp8l[:4] + bytes([vp8l[4] & ~0x10]) + vp8l[5:])))

# The container.
solid = encode(photo(27, 21), lossless=1)
note = chunk(b"XMP ", b"<x/>x")
# A valid profile that exchanges red and blue, so that applying it would be seen.
swapping = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
swapping = swapping.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
for name, data, (w, h) in (("lossy", opaque, (27, 21)), ("lossless", solid, (27, 21)), ("lossless-alpha", seethrough, (29, 26))):
    parts = image(data)
    add(f"container-{name}-trailing-bytes", data + b"these are not part of it")
    add(f"container-{name}-unknown-chunks", riff(vp8x(w, h, ALPHA), chunk(b"ABCD", b"12345"), *parts, chunk(b"EFGH", b"123"), note))
    add(f"container-{name}-profile", riff(vp8x(w, h, ICC | ALPHA), chunk(b"ICCP", b"no profile at all"), *parts))
    add(f"container-{name}-everything", riff(vp8x(w, h, ICC | ALPHA | EXIF | XMP), chunk(b"ICCP", b"?"), *parts,
                                             chunk(b"EXIF", b"II*\0\x08\0\0\0\0\0"), note))
    add(f"container-{name}-swapping-profile", riff(vp8x(w, h, ICC | ALPHA), chunk(b"ICCP", swapping), *parts))
    add(f"container-{name}-simple-with-chunk", riff(*parts, note) if name != "lossless" else riff(*parts, note, note))

# Animations: the first frame on its canvas, the rest of which is transparent.
for name, data, (w, h) in (("lossy", opaque, (27, 21)), ("lossless", solid, (27, 21)), ("lossless-alpha", seethrough, (29, 26)),
                           ("lossy-alpha", encode(np.concatenate([photo(27, 21), opacity("ramp", 27, 21)], -1)), (27, 21))):
    for x, y, cw, ch in ((0, 0, w, h), (4, 6, 40, 35), (0, 2, w, h + 2), ((40 - w) // 2 * 2, 8, 40, 34)):
        for alpha in (0, ALPHA):
            add(f"animation-{name}-{x}-{y}-{cw}x{ch}-alpha-{alpha // 16}", riff(
                vp8x(cw, ch, ANIMATION | alpha), ANIM, frame(x, y, w, h, *image(data)), frame(0, 0, 27, 21, *image(opaque))))
for lossless in (False, True):
    for mode in ("RGB", "RGBA"):
        frames = [Image.fromarray(np.concatenate([photo(34, 28), opacity("levels", 34, 28)], -1)).convert(mode) for _ in range(3)]
        out = io.BytesIO()
        frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=lossless, duration=50,
                       background=(200, 100, 50, 255), minimize_size=True)
        add(f"animation-by-pillow-{'lossless' if lossless else 'lossy'}-{mode.lower()}", out.getvalue())

with zipfile.ZipFile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "matrix.zip"), "w") as z:
    for name, (data, expected) in sorted(files.items()):
        out = io.BytesIO()
        Image.fromarray(expected).save(out, "PNG", optimize=True)
        for ending, content in (("webp", data), ("png", out.getvalue())):
            entry = zipfile.ZipInfo(f"{name}.{ending}")
            z.writestr(entry, content, zipfile.ZIP_DEFLATED)
print(len(files), "files")
