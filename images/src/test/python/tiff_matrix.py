"""Makes matrix/tiff.zip: small TIFF files of many kinds, and the RGB pixels that each must give (Python 3.11, NumPy, Pillow 12).

    python tiff_matrix.py ../resources/matrix/tiff.zip

NAME.tif has beside it NAME.rgb (width and height as big-endian 32-bit integers, then the bytes [height, width, 3]) or NAME.refused, a
regular expression that the message of the refusal must match. The pixels are computed here from the values that are written, by the
rules of docs/images.md; for JPEG compression they are what Pillow decodes from the same JPEG data. Where Pillow reads a kind,
its pixels are compared too; a difference that is not one of its known faults ends the program.
"""
import io
import re
import struct
import sys
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageOps, features

NONE, RLE, G3, G4, LZW, OLD_JPEG, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946
WHITE, BLACK, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
W, H = 13, 10

files = {}  # name -> (TIFF bytes, pixels or regular expression)
# Names -> why Pillow gives something else.
FAULTS = {
    "white-is-zero-16-.*": "Pillow does not invert 16-bit grey",
    "grey-12-none-tiles-5x3": "Pillow does not pad rows of 12 bits to whole bytes",
    "rgb-16-planes-.*": "Pillow mixes up planes of 16 bits",
    "(grey|palette)-08-extra-2-planar-2": "Pillow mixes up the planes of two samples",
    "palette-of-8-bit-values": "libtiff takes such values as they are, Pillow their upper 8 bits",
    "strip-places-named-for-tiles": "Pillow reads no such files",
    "ycbcr-1x1-none": "Pillow takes YCbCr without compression for RGB",
}


def put(name, tiff, expected):
    assert name not in files, name
    files[name] = (tiff, expected)


# --- compression -------------------------------------------------------------------------------------------------------------------
def pack_bits(data):
    out = bytearray()
    i = 0
    while i < len(data):
        n = 1
        while i + n < len(data) and n < 128 and data[i + n] == data[i]:
            n += 1
        if n > 1:
            out += bytes([257 - n, data[i]])
            i += n
        else:
            j = i + 1
            while j < len(data) and j - i < 128 and not (j + 1 < len(data) and data[j] == data[j + 1]):
                j += 1
            out += bytes([j - i - 1]) + data[i:j]
            i = j
    return bytes(out)


def lzw(data, old=False):
    codes = []
    bits, following, table = 9, 258, {}
    codes.append((256, 9))
    prefix = b""
    limit = 4093

    def code_of(text):
        return text[0] if len(text) == 1 else table[text]

    for b in data:
        longer = prefix + bytes([b])
        if len(longer) == 1 or longer in table:
            prefix = longer
            continue
        codes.append((code_of(prefix), bits))
        table[longer] = following
        following += 1
        # The decoder's table is one entry behind.
        if following > (1 << bits) - (0 if old else 1) and bits < 12:
            bits += 1
        if following > limit:
            codes.append((256, bits))
            bits, following, table = 9, 258, {}
        prefix = bytes([b])
    if prefix:
        codes.append((code_of(prefix), bits))
        following += 1
        if following > (1 << bits) - (0 if old else 1) and bits < 12:
            bits += 1
    codes.append((257, bits))
    if old:
        number = shift = 0
        for code, n in codes:
            number |= code << shift
            shift += n
        return number.to_bytes((shift + 7) // 8, "little")
    text = "".join(format(code, f"0{n}b") for code, n in codes)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def compress(data, compression, old=False):
    if compression == LZW:
        return lzw(data, old)
    if compression in (DEFLATE, OLD_DEFLATE):
        return zlib.compress(data)
    return pack_bits(data) if compression == PACKBITS else data


def reverse_bits(data):
    return bytes(int(format(b, "08b")[::-1], 2) for b in data)


# --- the file ----------------------------------------------------------------------------------------------------------------------
def pack(block, bits, order):
    """[rows, columns, samples] to bytes, each row padded to a byte."""
    rows = block.reshape(block.shape[0], -1)
    if bits in (8, 16, 32, 64):
        return b"".join(r.astype(f"{order}u{bits // 8}").tobytes() for r in rows)
    out = b""
    for r in rows:
        text = "".join(format(int(v), f"0{bits}b") for v in r)
        text += "0" * (-len(text) % 8)
        out += int(text, 2).to_bytes(len(text) // 8, "big")
    return out


turns = 0


def container(tags, blocks, order="<", offsets=273, counts=279, omit=(), front=None):
    """A TIFF file, in turns with its directory behind the data and before them. tags: number -> (type, values)."""
    global turns
    turns += 1
    front = turns % 2 == 0 if front is None else front
    tags = dict(tags)
    tags[offsets] = (LONG, [0] * len(blocks))
    tags[counts] = (LONG, [len(b) for b in blocks])
    tags = {t: v for t, v in tags.items() if t not in omit}
    encoded = {t: encode(*v, order) for t, v in tags.items()}
    behind = 8 + sum(len(b) + len(b) % 2 for b in blocks)
    start = 8 if front else behind
    place = start + 6 + 12 * len(tags)
    room = {}
    for t, data in encoded.items():
        if len(data) > 4:
            room[t] = place
            place += len(data) + len(data) % 2
    at = place if front else 8
    data, places = b"", []
    for b in blocks:
        places.append(at + len(data))
        data += b + b"\0" * (len(b) % 2)
    if offsets in tags:
        encoded[offsets] = encode(LONG, places, order)
    entries = values = b""
    for t in sorted(tags):
        kind, v = tags[t]
        entries += struct.pack(order + "HHI", t, kind, len(v))
        entries += struct.pack(order + "I", room[t]) if t in room else encoded[t].ljust(4, b"\0")
    for t in room:
        values += encoded[t] + b"\0" * (len(encoded[t]) % 2)
    directory = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + values
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, start)
    return head + (directory + data if front else data + directory)


def encode(kind, values, order):
    if kind == UNDEFINED:
        return bytes(values)
    if kind == RATIONAL:
        return b"".join(struct.pack(order + "II", int(round(v * 10000)), 10000) for v in values)
    return struct.pack(order + str(len(values)) + ("H" if kind == SHORT else "I"), *values)


def write(v, bits, photometric, compression=NONE, predictor=1, planar=1, fill=1, order="<", rows=None, tile=None, extra=None, more=None,
          omit=(), old=False, form=None, front=None):
    """Writes values [height, width, samples]."""
    h, w, s = v.shape
    tags = {256: (SHORT, [w]), 257: (SHORT, [h]), 258: (SHORT, [bits] * s), 259: (SHORT, [compression]),
            262: (SHORT, [photometric]), 277: (SHORT, [s])}
    if planar != 1:
        tags[284] = (SHORT, [planar])
    if predictor != 1:
        tags[317] = (SHORT, [predictor])
    if fill != 1:
        tags[266] = (SHORT, [fill])
    if extra is not None:
        tags[338] = (SHORT, extra)
    if form is not None:
        tags[339] = (SHORT, [form] * s)
    blocks = []
    for plane in [v] if planar == 1 else [v[..., i:i + 1] for i in range(s)]:
        if tile:
            tw, th = tile
            tags[322], tags[323] = (SHORT, [tw]), (SHORT, [th])
            padded = np.pad(plane, ((0, -h % th), (0, -w % tw), (0, 0)), mode="edge")
            blocks += [padded[y:y + th, x:x + tw] for y in range(0, h, th) for x in range(0, w, tw)]
        else:
            n = rows or h
            tags[278] = (SHORT, [n])
            blocks += [plane[y:y + n] for y in range(0, h, n)]
    packed = []
    for b in blocks:
        if predictor == 2:
            before = np.concatenate([np.zeros_like(b[:, :1]), b[:, :-1]], 1)
            b = (b.astype(np.int64) - before) & ((1 << bits) - 1)
        raw = compress(pack(b, bits, order), compression, old)
        packed.append(reverse_bits(raw) if fill == 2 else raw)
    tags.update(more or {})
    t = (324, 325) if tile else (273, 279)
    return container(tags, packed, order, *t, omit=omit, front=front)


# --- what the values mean ----------------------------------------------------------------------------------------------------------
def eight(v, bits):
    return v >> bits - 8 if bits >= 8 else v * 255 // ((1 << bits) - 1)


def over(c, a):
    return (c.astype(np.int64) * a + 127) // 255


def meaning(v, bits, photometric, alpha=None, palette=None):
    v = v.astype(np.int64)
    e = eight(v, bits)
    if photometric in (WHITE, BLACK):
        g = 255 - e[..., :1] if photometric == WHITE else e[..., :1]
        c = np.repeat(g, 3, -1)
    elif photometric == RGB:
        c = e[..., :3]
    elif photometric == PALETTE:
        c = (palette >> 8)[:, v[..., 0]].transpose(1, 2, 0)
    else:
        c = over(255 - e[..., :3], 255 - e[..., 3:4])
    return c if alpha is None else over(c, e[..., alpha:alpha + 1])


def ycc(v, k=(0.299, 0.587, 0.114), black_white=(0, 255, 128, 255, 128, 255)):
    """TIFF 6.0, section 21, rounded as in libtiff (tif_color.c): factors are multiples of 1/65536."""
    b = black_white
    y = np.trunc((v[..., 0] - b[0]) * 255 / (b[1] - b[0])).astype(np.int64)
    cb = np.trunc((v[..., 1] - b[2]) * 127 / (b[3] - b[2])).astype(np.int64)
    cr = np.trunc((v[..., 2] - b[4]) * 127 / (b[5] - b[4])).astype(np.int64)

    def f(x):
        return int(x * 65536 + 0.5)
    red, blue = 2 - 2 * k[0], 2 - 2 * k[2]
    c = [y + (f(red) * cr + 32768 >> 16), y + (-f(k[0] * red / k[1]) * cr - f(k[2] * blue / k[1]) * cb + 32768 >> 16),
         y + (f(blue) * cb + 32768 >> 16)]
    return np.clip(np.stack(c, -1), 0, 255)


seed = iter(range(1, 100000))


def values(bits, samples, w=W, h=H):
    """Flat at the left, noise at the right, with the lowest and highest value."""
    r = np.random.RandomState(next(seed))
    v = r.randint(0, 1 << bits, (h, w, samples)).astype(np.int64)
    v[:, :w // 3] = v[:1, :1]
    v[0, 0] = 0
    v[-1, -1] = (1 << bits) - 1
    return v


def color_map(bits):
    return np.random.RandomState(next(seed)).randint(0, 65536, (3, 1 << bits)).astype(np.int64)


COLOURS = {WHITE: 1, BLACK: 1, RGB: 3, PALETTE: 1, CMYK: 4}
NAMES = {WHITE: "white-is-zero", BLACK: "grey", RGB: "rgb", PALETTE: "palette", CMYK: "cmyk"}
COMPRESSIONS = {NONE: "none", LZW: "lzw", DEFLATE: "deflate", OLD_DEFLATE: "deflate-32946", PACKBITS: "packbits"}


def case(name, bits, photometric, extra=(), alpha=None, undeclared=0, **options):
    v = values(bits, COLOURS[photometric] + len(extra) + undeclared)
    if 1 in extra:  # premultiplied
        a = v[..., COLOURS[photometric] + list(extra).index(1)][..., None]
        v[..., :COLOURS[photometric]] = v[..., :COLOURS[photometric]] * a // ((1 << bits) - 1)
    more = dict(options.pop("more", {}))
    palette = None
    if photometric == PALETTE:
        palette = color_map(bits)
        more[320] = (SHORT, palette.ravel().tolist())
    if extra:
        options["extra"] = list(extra)
    put(name, write(v, bits, photometric, more=more, **options), meaning(v, bits, photometric, alpha, palette))


def kinds():
    for photometric, all_bits in ((BLACK, range(1, 17)), (WHITE, (1, 2, 4, 6, 8, 10, 12, 16)), (RGB, (1, 2, 4, 5, 8, 10, 12, 14, 16)),
                                  (PALETTE, (1, 2, 3, 4, 5, 6, 8, 10)), (CMYK, (1, 4, 8, 12, 16))):
        for bits in all_bits:
            for order, o in (("<", "le"), (">", "be")):
                case(f"{NAMES[photometric]}-{bits:02}-{o}", bits, photometric, order=order, rows=4)
    # Bits, compression and order of bits.
    for photometric, bits in ((BLACK, 1), (BLACK, 8), (BLACK, 12), (BLACK, 16), (RGB, 8), (RGB, 16), (PALETTE, 4), (CMYK, 8)):
        for compression, c in COMPRESSIONS.items():
            for fill in (1, 2):
                case(f"{NAMES[photometric]}-{bits:02}-{c}-fill-{fill}", bits, photometric, compression=compression, fill=fill, rows=5,
                     order=">" if bits == 16 and fill == 1 else "<")
    # Differences, tiles and planes.
    for photometric, bits in ((BLACK, 8), (BLACK, 16), (RGB, 8), (RGB, 16), (CMYK, 8), (CMYK, 16)):
        for compression in (LZW, DEFLATE):
            for order, o in (("<", "le"), (">", "be")):
                for planar in (1, 2) if photometric != BLACK else (1,):
                    case(f"{NAMES[photometric]}-{bits:02}-{COMPRESSIONS[compression]}-predictor-{o}-planar-{planar}", bits, photometric,
                         compression=compression, predictor=2, order=order, planar=planar,
                         tile=(16, 16) if planar == 2 and compression == LZW else None)
    for photometric, bits in ((BLACK, 1), (BLACK, 12), (RGB, 8), (RGB, 12), (PALETTE, 8), (CMYK, 8)):
        for compression in (NONE, DEFLATE, PACKBITS):
            for tile in ((16, 16), (16, 32), (8, 4), (5, 3)):
                case(f"{NAMES[photometric]}-{bits:02}-{COMPRESSIONS[compression]}-tiles-{tile[0]}x{tile[1]}", bits, photometric,
                     compression=compression, tile=tile)
    for photometric, bits in ((RGB, 4), (RGB, 8), (RGB, 12), (RGB, 16), (CMYK, 8)):
        for rows in (None, 3):
            case(f"{NAMES[photometric]}-{bits:02}-planes-rows-{rows or 'all'}", bits, photometric, planar=2, rows=rows)
    # Extra samples.
    for photometric in (BLACK, WHITE, RGB, PALETTE, CMYK):
        n = COLOURS[photometric]
        for bits in (8, 16) if photometric != PALETTE else (8,):
            for extra, alpha in (((0,), None), ((2,), n), ((0, 0), None), ((2, 0), n), ((0, 2), n + 1), ((999,), n), ((0,) * 6, None)):
                for planar in (1, 2):
                    case(f"{NAMES[photometric]}-{bits:02}-extra-{'-'.join(map(str, extra))}-planar-{planar}", bits, photometric,
                         extra=extra, alpha=alpha, planar=planar, compression=LZW if planar == 2 else NONE)
    for photometric in (BLACK, RGB):
        for bits in (4, 8, 16):
            for extra in ((1,), (1, 0), (0, 1)):
                case(f"{NAMES[photometric]}-{bits:02}-extra-{'-'.join(map(str, extra))}-premultiplied", bits, photometric, extra=extra)
    for bits in (8, 16):
        case(f"rgb-{bits:02}-fourth-sample-not-described", bits, RGB, undeclared=1, alpha=3)


def odd_files():
    v = values(8, 3)
    rgb = v.copy()
    one = values(8, 1)
    grey = meaning(one, 8, BLACK)
    put("lzw-old-style", write(v, 8, RGB, compression=LZW, old=True), rgb)
    big = values(8, 3, 60, 50)
    for old in (False, True):
        put(f"lzw-table-full-{'old' if old else 'new'}", write(big, 8, RGB, compression=LZW, old=old), big)
    flat = np.full((50, 40, 1), 7, np.int64)
    put("lzw-long-repetition", write(flat, 8, BLACK, compression=LZW), np.repeat(flat, 3, -1))
    put("sample-format-undefined", write(v, 8, RGB, form=4), rgb)
    put("sample-format-unsigned", write(v, 8, RGB, form=1), rgb)
    put("rows-per-strip-missing", write(v, 8, RGB, omit=[278]), rgb)
    put("rows-per-strip-huge", write(v, 8, RGB, more={278: (LONG, [0xffffffff])}), rgb)
    put("byte-counts-missing", write(v, 8, RGB, omit=[279]), rgb)
    put("byte-counts-missing-lzw", write(v, 8, RGB, compression=LZW, omit=[279]), rgb)
    put("bits-once-for-all-samples", write(v, 8, RGB, more={258: (SHORT, [8])}), rgb)
    bilevel = values(1, 1)
    put("defaults-of-bits-and-samples", write(bilevel, 1, BLACK, omit=[258, 277, 259]), meaning(bilevel, 1, BLACK))
    put("size-as-long", write(v, 8, RGB, more={256: (LONG, [W]), 257: (LONG, [H])}), rgb)
    put("predictor-without-such-compression", write(one, 8, BLACK, more={317: (SHORT, [2])}), grey)
    narrow = color_map(4) >> 8
    index = values(4, 1)
    put("palette-of-8-bit-values", write(index, 4, PALETTE, more={320: (SHORT, narrow.ravel().tolist())}),
        meaning(index, 4, PALETTE, palette=narrow << 8))
    put("ycbcr-of-one-sample", write(one, 8, YCBCR), grey)
    put("strip-places-named-for-tiles", write(v, 8, RGB, tile=(16, 16))
        .replace(struct.pack("<HH", 324, 4), struct.pack("<HH", 273, 4)).replace(struct.pack("<HH", 325, 4), struct.pack("<HH", 279, 4)),
        rgb)
    for o in range(1, 9):
        turned = {1: v, 2: v[:, ::-1], 3: v[::-1, ::-1], 4: v[::-1], 5: v.transpose(1, 0, 2), 6: v.transpose(1, 0, 2)[:, ::-1],
                  7: v.transpose(1, 0, 2)[::-1, ::-1], 8: v.transpose(1, 0, 2)[::-1]}[o]
        put(f"orientation-{o}", write(v, 8, RGB, more={274: (SHORT, [o])}, order=">" if o % 2 else "<"), turned)
    # Two pages: the first counts, and a directory that names itself as the next is no loop.
    page = bytearray(write(v, 8, RGB, front=True))
    struct.pack_into("<I", page, 10 + 12 * page[8], 8)
    put("directory-followed-by-itself", bytes(page), rgb)


def subsampled():
    for (sh, sv), compression in [((a, b), c) for a in (1, 2, 4) for b in (1, 2, 4) for c in (NONE, LZW)]:
        w, h = W, H
        luma = values(8, 1, w + -w % sh, h + -h % sv)[..., 0]
        chroma = np.clip(values(8, 2, (w + sh - 1) // sh, (h + sv - 1) // sv) // 2 + 64, 0, 255)
        units = b""
        for y in range(chroma.shape[0]):
            for x in range(chroma.shape[1]):
                units += luma[y * sv:(y + 1) * sv, x * sh:(x + 1) * sh].astype(np.uint8).tobytes() + chroma[y, x].astype(np.uint8).tobytes()
        full = np.concatenate([luma[..., None], chroma.repeat(sv, 0).repeat(sh, 1)], -1)[:h, :w]
        tags = {256: (SHORT, [w]), 257: (SHORT, [h]), 258: (SHORT, [8] * 3), 259: (SHORT, [compression]), 262: (SHORT, [YCBCR]),
                277: (SHORT, [3]), 278: (SHORT, [h]), 530: (SHORT, [sh, sv])}
        put(f"ycbcr-{sh}x{sv}-{COMPRESSIONS[compression]}", container(tags, [compress(units, compression)]), ycc(full))
    v = np.clip(values(8, 3) // 2 + 64, 0, 255)
    put("ycbcr-1x1-planes", write(v, 8, YCBCR, planar=2, compression=LZW, more={530: (SHORT, [1, 1])}), ycc(v))
    studio = (16, 235, 128, 240, 128, 240)
    k = (0.2125, 0.7154, 0.0721)
    put("ycbcr-709", write(v, 8, YCBCR, compression=LZW, more={530: (SHORT, [1, 1]), 529: (RATIONAL, k)}), ycc(v, k))
    put("ycbcr-studio-range", write(v, 8, YCBCR, compression=LZW, more={530: (SHORT, [1, 1]), 532: (RATIONAL, studio)}), ycc(v, black_white=studio))


# --- JPEG --------------------------------------------------------------------------------------------------------------------------
def smooth(samples, w=40, h=24):
    y, x = np.mgrid[0:h, 0:w]
    return np.stack([(128 + 100 * np.sin(x / (5 + i) + i) * np.cos(y / (4 + i))) for i in range(samples)], -1).astype(np.uint8)


def split_tables(jpeg):
    """A JPEG stream with the tables only, and one without them."""
    tables, rest, at = b"\xff\xd8", b"\xff\xd8", 2
    while True:
        marker, n = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if marker == 0xda:
            return tables + b"\xff\xd9", rest + jpeg[at:]
        if marker in (0xdb, 0xc4):
            tables += jpeg[at:at + 2 + n]
        else:
            rest += jpeg[at:at + 2 + n]
        at += 2 + n


def jpeg(pixels, mode, **options):
    out = io.BytesIO()
    image = Image.fromarray(pixels if pixels.shape[-1] > 1 else pixels[..., 0], mode)
    image.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def jpeg_blocks(name, mode, photometric, samples, tables=False, tile=None, rows=None, order="<", planar=1, **options):
    v = smooth(samples)
    h, w, _ = v.shape
    blocks, expected, shared = [], np.zeros((h, w, samples), np.int64), None
    bw, bh = tile or (w, rows or h)
    for plane in [slice(None)] if planar == 1 else [slice(i, i + 1) for i in range(samples)]:
        padded = np.pad(v[..., plane], ((0, -h % bh if tile else 0), (0, -w % bw), (0, 0)), mode="edge")
        for y in range(0, h, bh):
            for x in range(0, w, bw):
                data = jpeg(padded[y:y + bh, x:x + bw], mode if planar == 1 else "L", **options)
                decoded = Image.open(io.BytesIO(data))
                d = np.asarray(decoded).reshape(decoded.height, decoded.width, -1).astype(np.int64)
                if mode == "CMYK":
                    d = 255 - d  # Pillow inverts what Adobe's marker says; TIFF has no such rule.
                target = expected[y:y + bh, x:x + bw, plane]
                target[...] = d[:target.shape[0], :target.shape[1]]
                if tables:
                    shared, data = split_tables(data)
                blocks.append(data)
    tags = {256: (SHORT, [w]), 257: (SHORT, [h]), 258: (SHORT, [8] * samples), 259: (SHORT, [JPEG]), 262: (SHORT, [photometric]),
            277: (SHORT, [samples])}
    if planar == 2:
        tags[284] = (SHORT, [2])
    if tables:
        tags[347] = (UNDEFINED, shared)
    if tile:
        tags[322], tags[323] = (SHORT, [bw]), (SHORT, [bh])
    else:
        tags[278] = (SHORT, [bh])
    if photometric == YCBCR:
        tags[530] = (SHORT, [2, 2])
    if name.endswith("fill-2"):
        tags[266] = (SHORT, [2])  # JPEG data have their own order of bits.
    t = (324, 325) if tile else (273, 279)
    # YCbCr has become RGB when Pillow decoded the block.
    pixels = expected if samples == 3 else meaning(expected, 8, photometric)
    put(name, container(tags, blocks, order, *t), pixels)


def with_jpeg():
    for tables in (False, True):
        t = "tables" if tables else "whole"
        for layout, o in (("strip", {}), ("strips", {"rows": 16}), ("tiles", {"tile": (16, 16)}), ("wide-tiles", {"tile": (64, 32)})):
            jpeg_blocks(f"jpeg-grey-{t}-{layout}", "L", BLACK, 1, tables, **o)
            for subsampling in (0, 1, 2):
                jpeg_blocks(f"jpeg-ycbcr-{subsampling}-{t}-{layout}", "RGB", YCBCR, 3, tables, subsampling=subsampling, **o)
            jpeg_blocks(f"jpeg-rgb-{t}-{layout}", "RGB", RGB, 3, tables, keep_rgb=True, **o)
            jpeg_blocks(f"jpeg-cmyk-{t}-{layout}", "CMYK", CMYK, 4, tables, **o)
        jpeg_blocks(f"jpeg-white-is-zero-{t}", "L", WHITE, 1, tables, order=">")
        jpeg_blocks(f"jpeg-rgb-planes-{t}", "RGB", RGB, 3, tables, planar=2)
    jpeg_blocks("jpeg-ycbcr-fill-2", "RGB", YCBCR, 3, True, tile=(16, 16))
    jpeg_blocks("jpeg-progressive", "RGB", YCBCR, 3, progressive=True)
    # The style of before 1995: one stream, which the strips point into.
    for name, mode, samples, photometric in (("grey", "L", 1, BLACK), ("ycbcr", "RGB", 3, YCBCR), ("rgb", "RGB", 3, RGB)):
        data = jpeg(smooth(samples), mode, subsampling=0)
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int64)
        tags = {256: (SHORT, [40]), 257: (SHORT, [24]), 258: (SHORT, [8] * samples), 259: (SHORT, [OLD_JPEG]), 262: (SHORT, [photometric]),
                277: (SHORT, [samples]), 278: (SHORT, [24]), 513: (LONG, [8]), 514: (LONG, [len(data)]), 530: (SHORT, [1, 1])}
        put(f"jpeg-old-style-{name}", container(tags, [data], front=False), pixels)
    # Written by Pillow through libtiff.
    for mode, samples in (("L", 1), ("RGB", 3), ("CMYK", 4)):
        out = io.BytesIO()
        v = smooth(samples)
        Image.fromarray(v if samples > 1 else v[..., 0], mode).save(out, "TIFF", compression="jpeg", quality=90)
        back = np.asarray(Image.open(io.BytesIO(out.getvalue())).convert(mode)).reshape(24, 40, samples).astype(np.int64)
        put(f"jpeg-by-libtiff-{mode.lower()}", out.getvalue(), back if samples == 3 else meaning(back, 8, CMYK if samples == 4 else BLACK))


# --- CCITT -------------------------------------------------------------------------------------------------------------------------
def fax():
    for w, h in ((13, 10), (64, 5), (200, 30)):
        r = np.random.RandomState(next(seed))
        v = (r.rand(h, w, 1) < 0.5).astype(np.int64)
        v[h // 2:] = np.repeat(v[h // 2:, ::5], 5, 1)[:, :w]
        v[1] = 0
        v[2] = 1
        big = w == 200
        for name, options in (("ccitt", {}), ("group3", {}), ("group3-2d", {292: 1}), ("group3-aligned", {292: 4}),
                              ("group3-2d-aligned", {292: 5}), ("group4", {})):
            for fill in (1, 2):
                for strips in (False, True) if big else (False,):
                    out = io.BytesIO()
                    info = dict(options)
                    if strips:
                        info[278] = 8
                    compression = "tiff_ccitt" if name == "ccitt" else name[:6]
                    Image.fromarray((v[..., 0] * 255).astype(np.uint8)).convert("1").save(
                        out, "TIFF", compression=compression if name == "ccitt" else compression, tiffinfo=info, strip_size=1 << 20)
                    by_pillow = Image.open(io.BytesIO(out.getvalue()))
                    t = by_pillow.tag_v2
                    blocks = [out.getvalue()[o:o + n] for o, n in zip(t[273], t[279])]
                    if t.get(266, 1) == 2:
                        blocks = [reverse_bits(b) for b in blocks]
                    tags = {256: (SHORT, [w]), 257: (SHORT, [h]), 258: (SHORT, [1]), 259: (SHORT, [t[259]]), 277: (SHORT, [1]),
                            262: (SHORT, [t[262]]), 278: (SHORT, [t.get(278, h)])}
                    if 292 in t:
                        tags[292] = (LONG, [t[292]])
                    if fill == 2:
                        tags[266] = (SHORT, [2])
                        blocks = [reverse_bits(b) for b in blocks]
                    f = f"fax-{name}-{w}x{h}-fill-{fill}{'-strips' if strips else ''}"
                    put(f, container(tags, blocks), meaning(v, 1, BLACK))
                    assert t[262] == BLACK
                    if w == 13 and fill == 1:
                        put(f + "-photometric-missing", container(tags, blocks, omit=[262]), meaning(v, 1, WHITE))
                        tags[262] = (SHORT, [WHITE])
                        put(f + "-white-is-zero", container(tags, blocks), meaning(v, 1, WHITE))


def fax_runs():
    """Every code of a run, in white and in black."""
    runs = list(range(64)) + list(range(64, 2561, 64)) + [2561, 2623, 2624, 5120, 5200]
    v = np.zeros((len(runs), 5400, 1), np.int64)
    for y, n in enumerate(runs):
        v[y, n:n + runs[-1 - y]] = 1
    for compression in ("group3", "group4"):
        out = io.BytesIO()
        Image.fromarray((v[..., 0] * 255).astype(np.uint8)).convert("1").save(out, "TIFF", compression=compression)
        put(f"fax-{compression}-all-runs", out.getvalue(), meaning(v, 1, BLACK))


# --- what is refused ---------------------------------------------------------------------------------------------------------------
def refusals():
    remedy = "which is not read: convert it to 8-bit grey or RGB$"

    def refused(name, tiff, words):
        put(f"refused-{name}", tiff, f"{words}.*{remedy}")

    one, three, four = values(8, 1), values(8, 3), values(8, 4)
    for bits in (8, 16, 32):
        refused(f"signed-{bits:02}", write(values(min(bits, 16), 1), bits, BLACK, form=2), f"signed {bits}-bit samples")
        refused(f"signed-rgb-{bits:02}", write(values(min(bits, 16), 3), bits, RGB, form=2), f"signed {bits}-bit samples")
    for bits in (16, 32, 64):
        refused(f"float-{bits}", write(values(16, 1), bits, BLACK, form=3), f"{bits}-bit floating point samples")
        refused(f"float-rgb-{bits}", write(values(16, 3), bits, RGB, form=3), f"{bits}-bit floating point samples")
    refused("float-predictor", write(values(16, 1), 32, BLACK, compression=DEFLATE, form=3, more={317: (SHORT, [3])}), "floating point samples")
    refused("complex", write(values(16, 1), 64, BLACK, form=6), "complex numbers")
    refused("grey-32", write(values(16, 1), 32, BLACK), "32-bit samples")
    refused("rgb-32", write(values(16, 3), 32, RGB), "32-bit samples")
    for photometric, v, words in ((8, three, "CIELab colours"), (9, three, "ICCLab colours"), (10, three, "ITULab colours"),
                                  (32803, one, "raw sensor data"), (34892, three, "linear raw sensor data"), (32844, one, "LogL "),
                                  (32845, three, "LogLuv"), (4, values(1, 1), "transparency mask"), (51177, one, "depth"),
                                  (77, one, "photometric interpretation 77")):
        refused(f"photometric-{photometric}", write(v, 1 if photometric == 4 else 8, photometric), words)
    refused("cielab-16", write(values(16, 3), 16, 8), "CIELab colours")
    refused("multi-ink", write(four, 8, CMYK, more={332: (SHORT, [2])}), "inks other than CMYK")
    refused("indexed-cmyk", write(one, 8, CMYK, more={346: (SHORT, [1])}), "palette of a kind other than RGB")
    refused("different-bits", write(three, 8, RGB, more={258: (SHORT, [5, 6, 5])}), "5 and 6 bits")
    refused("grey-of-3-samples-not-described", write(three, 8, BLACK), "3 samples per pixel, of which only 1")
    refused("rgb-of-5-samples-not-described", write(values(8, 5), 8, RGB), "5 samples per pixel, of which only 3")
    refused("premultiplied-cmyk", write(values(8, 5), 8, CMYK, extra=[1]), "multiplied by their opacity")
    refused("differences-of-4-bits", write(values(4, 1), 4, BLACK, compression=LZW, predictor=2), "a predictor for 4-bit samples")
    for compression, words in ((6, "old-style JPEG"), (34712, "JPEG 2000"), (33003, "JPEG 2000"), (33005, "JPEG 2000"), (50000, "Zstandard"),
                               (50001, "WebP"), (34925, "LZMA"), (34887, "LERC"), (32809, "ThunderScan"), (32766, "NeXT"), (34661, "JBIG"),
                               (52546, "JPEG XL"), (34676, "SGI LogLuv"), (32771, "word-aligned CCITT"), (34892, "lossy DNG"),
                               (34934, "JPEG XR"), (4711, "unknown .number 4711.")):
        refused(f"compression-{compression}", write(three, 8, RGB, more={259: (SHORT, [compression])}), words + " compression")
    lossless = bytearray(jpeg(smooth(1), "L"))
    lossless[lossless.index(b"\xff\xc0") + 1] = 0xc3
    deep = bytearray(jpeg(smooth(1), "L"))
    deep[deep.index(b"\xff\xc0") + 4] = 12
    arithmetic = bytearray(jpeg(smooth(1), "L"))
    arithmetic[arithmetic.index(b"\xff\xc0") + 1] = 0xc9
    tags = {256: (SHORT, [40]), 257: (SHORT, [24]), 258: (SHORT, [8]), 259: (SHORT, [JPEG]), 262: (SHORT, [BLACK]), 277: (SHORT, [1])}
    refused("lossless-jpeg", container(tags, [bytes(lossless)]), "lossless JPEG compression")
    refused("jpeg-12", container(tags, [bytes(deep)]), "12-bit samples in JPEG compression")
    refused("arithmetic-jpeg", container(tags, [bytes(arithmetic)]), "arithmetic JPEG compression")
    slow = jpeg(smooth(1), "L", progressive=True)
    last = slow.rindex(b"\xff\xda")
    refused("jpeg-of-many-scans", container(tags, [slow[:last] + slow[last:-2] * 30 + slow[-2:]]), "more than 24 scans")
    damaged()


def damaged():
    def refused(name, tiff, words="damaged image: "):
        put(f"damaged-{name}", tiff, words)

    v = values(8, 3)
    for compression, c in COMPRESSIONS.items():
        whole = write(v, 8, RGB, compression=compression)
        n = len(compress(pack(v, 8, "<"), compression))
        half = whole.replace(struct.pack("<HHII", 279, LONG, 1, n), struct.pack("<HHII", 279, LONG, 1, n // 2))
        assert half != whole
        refused(f"{c}-strip-too-short", half)
        refused(f"{c}-cut-in-two", write(v, 8, RGB, compression=compression, front=True)[:150 + n // 2])
    refused("no-strips", write(v, 8, RGB, omit=[273]), "0 strips or tiles, expected 1")
    refused("too-few-strips", write(v, 8, RGB, more={278: (SHORT, [1])}), "1 strips or tiles, expected 10")
    put("damaged-strips-without-end", write(v, 8, RGB, more={256: (LONG, [100]), 257: (LONG, [900000]), 278: (SHORT, [1])}),
        "1 strips or tiles, expected 900000")
    refused("no-size", write(v, 8, RGB, omit=[256]), "damaged image: .*0x10")
    refused("photometric-missing", write(v, 8, RGB, omit=[262]), "tag 262 is missing")
    refused("too-few-samples", write(values(8, 2), 8, RGB), "2 samples per pixel, but 3 are needed")
    refused("extra-samples-without-room", write(v, 8, RGB, extra=[2]), "fewer than")
    refused("palette-too-short", write(values(8, 1), 8, PALETTE, more={320: (SHORT, [0] * 30)}), "tag 320 has 30 values")
    refused("palette-missing", write(values(8, 1), 8, PALETTE), "tag 320 has 0 values")
    sparse = bytearray(write(v, 8, RGB, tile=(8, 16), front=True))
    table = struct.unpack_from("<I", sparse, sparse.index(struct.pack("<HHI", 325, LONG, 2)) + 8)[0]
    struct.pack_into("<I", sparse, table + 4, 0)
    refused("sparse-tiles", bytes(sparse), "tile 1 are missing")
    nowhere = write(v, 8, RGB)
    at = nowhere.index(struct.pack("<HHI", 273, LONG, 1)) + 8
    refused("strip-at-0", nowhere[:at] + bytes(4) + nowhere[at + 4:], "strip or tile 0 are missing")
    refused("huge-image", write(v, 8, RGB, more={256: (LONG, [1 << 30]), 257: (LONG, [1 << 30])}), "image too large")
    refused("huge-tile", write(v, 8, RGB, tile=(16, 16), more={322: (LONG, [1 << 24]), 323: (LONG, [1 << 24])}), "image too large")
    refused("samples-without-end", write(v, 8, RGB, more={277: (LONG, [0xffffffff]), 338: (SHORT, [0] * 9)}), "samples per pixel|too large")
    refused("directory-beyond-the-end", b"II*\0" + struct.pack("<I", 1000) + bytes(50), "directory lies beyond")
    refused("header-only", b"II*\0", "damaged image")
    refused("overlapping-strips", overlapping(), "not complete")
    whole = jpeg(smooth(3), "RGB", subsampling=2)
    tags = {256: (SHORT, [40]), 257: (SHORT, [24]), 258: (SHORT, [8] * 3), 259: (SHORT, [JPEG]), 262: (SHORT, [YCBCR]), 277: (SHORT, [3])}
    refused("jpeg-cut", container(tags, [whole[:len(whole) * 2 // 3]]), "damaged image: JPEG data.*(end|incomplete|complete)")
    refused("jpeg-cut-but-ended", container(tags, [whole[:len(whole) * 2 // 3] + b"\xff\xd9"]), "damaged image: JPEG data")
    refused("jpeg-without-tables", container(tags, [split_tables(whole)[1]]), "damaged image: JPEG data")
    refused("jpeg-tables-without-end", container({**tags, 347: (UNDEFINED, b"\xff\xd8" + bytes(20000))}, [whole]), "tables of 20002 bytes")
    refused("jpeg-of-another-size", container({**tags, 256: (SHORT, [48])}, [whole]), "40x24 pixels, expected")
    refused("jpeg-of-another-colour", container({**tags, 262: (SHORT, [CMYK]), 258: (SHORT, [8] * 4), 277: (SHORT, [4])}, [whole]),
            "3 components")
    refused("jpeg-overlapping-strips", overlapping_jpeg(whole), "overlap")
    refused("jpeg-bomb", container(tags, [whole.replace(struct.pack(">HH", 24, 40), struct.pack(">HH", 65500, 40))]), "40x65500 pixels, expected")


def overlapping_jpeg(strip):
    """400 strips that all have the same data, and a long rest behind them."""
    n = 400
    tags = {256: (SHORT, [40]), 257: (SHORT, [24 * n]), 258: (SHORT, [8] * 3), 259: (SHORT, [JPEG]), 262: (SHORT, [YCBCR]), 277: (SHORT, [3]),
            278: (SHORT, [24])}
    blocks = [strip + bytes(40000)] + [b""] * (n - 1)
    file = bytearray(container(tags, blocks, front=False))
    entry = file.index(struct.pack("<HHI", 273, LONG, n))
    struct.pack_into(f"<{n}I", file, struct.unpack_from("<I", file, entry + 8)[0], *[8] * n)
    entry = file.index(struct.pack("<HHI", 279, LONG, n))
    struct.pack_into(f"<{n}I", file, struct.unpack_from("<I", file, entry + 8)[0], *[len(blocks[0])] * n)
    return bytes(file)


def overlapping():
    rows = 2000
    body = b"II*\0" + struct.pack("<I", 8)
    entries = [(256, SHORT, 1, 4), (257, SHORT, 1, rows), (258, SHORT, 1, 8), (259, SHORT, 1, PACKBITS), (262, SHORT, 1, BLACK),
               (273, LONG, rows, 200), (277, SHORT, 1, 1), (278, SHORT, 1, 1), (279, LONG, rows, 200 + 4 * rows)]
    body += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
    body = body.ljust(200, b"\0") + struct.pack("<I", 200 + 8 * rows) * rows + struct.pack("<I", 5004) * rows
    return body + b"\x80" * 5000 + b"\xfd\x01"


# --- comparison with Pillow, and the archive ---------------------------------------------------------------------------------------
def pillow_pixels(tiff):
    stored = Image.open(io.BytesIO(tiff))
    bits = stored.tag_v2[258][0] if 258 in stored.tag_v2 else 1
    i = ImageOps.exif_transpose(stored)
    if i.mode in ("I;16", "I;16B", "I;16L"):
        g = np.asarray(i).astype(np.int64) >> bits - 8
        return np.repeat(g[..., None], 3, -1)
    if i.mode in ("I", "F", "LAB"):
        raise ValueError(i.mode)
    if i.mode == "CMYK":
        return meaning(np.asarray(i), 8, CMYK)
    if i.mode in ("LA", "PA", "RGBA", "RGBa", "La"):
        v = np.asarray(i.convert("RGBA")).astype(np.int64)
        return over(v[..., :3], v[..., 3:])
    return np.asarray(i.convert("RGB")).astype(np.int64)


def main():
    kinds()
    odd_files()
    subsampled()
    with_jpeg()
    fax()
    fax_runs()
    refusals()
    same = faults = unread = 0
    for name, (tiff, expected) in files.items():
        if isinstance(expected, str):
            continue
        try:
            theirs = pillow_pixels(tiff)
        except Exception:
            unread += 1
            continue
        most = np.abs(theirs - expected).max() if theirs.shape == expected.shape else 255
        # Pillow divides by the opacity and multiplies again.
        if most <= (1 if "premultiplied" in name else 0):
            same += 1
        elif any(re.fullmatch(fault, name) for fault in FAULTS):
            faults += 1
        else:
            sys.exit(f"{name}: Pillow differs by {most}")
    refused = sum(isinstance(e, str) for _, e in files.values())
    print(f"{len(files)} files: {len(files) - refused} images, {refused} refused. Pillow {Image.__version__} (libtiff "
          f"{features.version('libtiff')}) gives the same for {same}, known faults for {faults}, and does not read {unread}")
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        def add(name, data):
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
        for name, (tiff, expected) in sorted(files.items()):
            add(name + ".tif", tiff)
            if isinstance(expected, str):
                add(name + ".refused", expected)
            else:
                h, w, _ = expected.shape
                add(name + ".rgb", struct.pack(">II", w, h) + expected.astype(np.uint8).tobytes())


main()
