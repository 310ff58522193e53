"""The PNG files of the image matrix, written chunk by chunk so that no library decides what is in them."""
import io
import struct
import zlib

import numpy as np
from PIL import Image

from matrix import ALPHA, HEIGHT, RGB, WIDTH, Matrix, exif, over, pillow, profile, turned, xmp

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
NAMES = {GREY: "grey", COLOUR: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", COLOUR_ALPHA: "rgb-alpha"}
DEPTHS = {GREY: (1, 2, 4, 8, 16), COLOUR: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), COLOUR_ALPHA: (8, 16)}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data=b"", crc=None):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)


def rows(samples, depth, filters):
    """The lines of samples [height, width, channels], packed and filtered."""
    h, w, n = samples.shape
    step = max(1, n * depth // 8)
    out, above = b"", None
    for i in range(h):
        flat = samples[i].reshape(-1)
        if depth == 16:
            line = flat.astype(">u2").tobytes()
        elif depth == 8:
            line = flat.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(v, f"0{depth}b") for v in flat)
            bits += "0" * (-len(bits) % 8)
            line = bytes(int(bits[j:j + 8], 2) for j in range(0, len(bits), 8))
        line = np.frombuffer(line, np.uint8).astype(int)
        if above is None:
            above = np.zeros_like(line)
        kind = filters(i)
        left = np.concatenate([np.zeros(step, int), line])[:len(line)]
        corner = np.concatenate([np.zeros(step, int), above])[:len(line)]
        p = left + above - corner
        pa, pb, pc = abs(p - left), abs(p - above), abs(p - corner)
        guess = [0, left, above, (left + above) // 2,
                 np.where((pa <= pb) & (pa <= pc), left, np.where(pb <= pc, above, corner))][min(kind, 4)]
        out += bytes([kind]) + ((line - guess) % 256).astype(np.uint8).tobytes()
        above = line
    return out


def png(samples, depth, colour, interlaced=False, filters=lambda i: i % 5, before=b"", between=b"", after=b"", split=None,
        level=9, palette=None, trns=None, size=None):
    h, w = samples.shape[:2]
    if interlaced:
        raw = b""
        for x0, y0, dx, dy in ADAM7:
            part = samples[y0::dy, x0::dx]
            if part.size:
                raw += rows(part, depth, filters)
    else:
        raw = rows(samples, depth, filters)
    data = zlib.compress(raw, level)
    pieces = [data] if split is None else [data[i:i + split] for i in range(0, len(data), split)]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *(size or (w, h)), depth, colour, 0, 0, interlaced))
    return (SIGNATURE + head + before + (chunk(b"PLTE", palette) if palette else b"")
            + (chunk(b"tRNS", trns) if trns is not None else b"") + between
            + b"".join(chunk(b"IDAT", p) for p in pieces) + after + chunk(b"IEND"))


def colours(count):
    """A palette [count, 3] whose colours all differ."""
    i = np.arange(count)
    return np.stack([(37 * i + 11) % 256, (101 * i + 60) % 256, (203 * i + 90) % 256], -1).astype(np.uint8)


def samples(colour, depth):
    """The samples of the picture [height, width, channels] of so many bits."""
    if colour == PALETTE:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        return ((3 * x + 5 * y + x * y // 7) % (1 << depth))[..., None]
    full = RGB if colour in (COLOUR, COLOUR_ALPHA) else RGB[..., 1:2]
    if colour in (GREY_ALPHA, COLOUR_ALPHA):
        full = np.concatenate([full, ALPHA[..., None]], -1)
    full = full.astype(int)
    return full * 256 + (full * 7 + 13) % 256 if depth == 16 else full >> 8 - depth


def expected(s, colour, depth, palette=None, trns=None):
    if colour == PALETTE:
        table = np.zeros((256, 3), np.uint8)
        table[:len(palette)] = palette
        opacity = np.full(256, 255, np.uint8)
        if trns:
            opacity[:len(trns)] = np.frombuffer(trns, np.uint8)
        return over(table[s[..., 0]], opacity[s[..., 0]][..., None])
    eight = s >> 8 if depth == 16 else s if depth == 8 else s * 255 // ((1 << depth) - 1)
    eight = eight.astype(np.uint8)
    if colour in (GREY_ALPHA, COLOUR_ALPHA):
        values = over(eight[..., :-1], eight[..., -1:])
    else:
        values = eight.copy()
        if trns:
            key = np.frombuffer(trns, ">u2").astype(int)
            values[(s == key).all(-1)] = 0
    return np.repeat(values, 3, -1) if values.shape[-1] == 1 else values


def kinds(m):
    for colour, depths in DEPTHS.items():
        for depth in depths:
            s = samples(colour, depth)
            palette = colours(1 << depth) if colour == PALETTE else None
            trnss = {"": None}
            if colour == PALETTE:
                trnss["-transparent"] = bytes([0, 130, 255, 40, 250][:1 << depth])
            elif colour == GREY:
                trnss["-transparent"] = struct.pack(">H", s[2, 3, 0])
            elif colour == COLOUR:
                trnss["-transparent"] = struct.pack(">HHH", *s[2, 3])
            for suffix, trns in trnss.items():
                for interlaced in (False, True):
                    data = png(s, depth, colour, interlaced, palette=palette.tobytes() if colour == PALETTE else None, trns=trns)
                    name = f"{NAMES[colour]}-{depth}{suffix}" + ("-interlaced" if interlaced else "")
                    want = expected(s, colour, depth, palette, trns)
                    # Pillow compares the transparent grey of less than 8 bits with greys that are spread already, and the
                    # transparent colour of 16 bits with the upper 8.
                    if not trns or colour == PALETTE or depth == 8:
                        assert np.array_equal(pillow(data), want), name
                    m.add(name, data, want)


def storage(m):
    rgb = samples(COLOUR, 8)
    for kind in range(5):
        for colour, depth in ((COLOUR, 8), (GREY, 1), (COLOUR_ALPHA, 16)):
            s = samples(colour, depth)
            m.add(f"filter-{kind}-{NAMES[colour]}-{depth}", png(s, depth, colour, filters=lambda i: kind),
                  expected(s, colour, depth))
    for level in (0, 1):
        m.add(f"level-{level}", png(rgb, 8, COLOUR, level=level), RGB)
    for split in (1, 7, 100):
        m.add(f"data-split-{split}", png(rgb, 8, COLOUR, split=split), RGB)
    empty = png(rgb, 8, COLOUR, between=chunk(b"IDAT"))
    m.add("data-empty-first", empty, RGB)
    for w, h in ((1, 1), (1, 9), (9, 1), (2, 3), (3, 2), (5, 5), (8, 8), (17, 13)):
        for interlaced in (False, True):
            name = f"size-{w}x{h}" + ("-interlaced" if interlaced else "")
            m.add(name, png(rgb[:h, :w], 8, COLOUR, interlaced), RGB[:h, :w])
            s = samples(GREY, 2)[:h, :w]
            m.add(name + "-grey-2", png(s, 2, GREY, interlaced), expected(s, GREY, 2))
    short = colours(200)
    s = samples(PALETTE, 8) * 17 % 256
    m.add("palette-short", png(s, 8, PALETTE, palette=short.tobytes()), expected(s, PALETTE, 8, short))
    m.add("palette-in-rgb", png(rgb, 8, COLOUR, palette=short.tobytes()), RGB)
    m.add("transparency-16-differs-below",
          png(samples(COLOUR, 16), 16, COLOUR, trns=struct.pack(">HHH", *(samples(COLOUR, 16)[2, 3] + 1))), RGB)
    m.add("trailing-bytes", png(rgb, 8, COLOUR) + b"\0" * 100 + b"more", RGB)


def chunks(m):
    rgb = samples(COLOUR, 8)
    iccp = b"swapped\0\0" + zlib.compress(profile())
    around = {
        "gamma": chunk(b"gAMA", struct.pack(">I", 100000)), "gamma-zero": chunk(b"gAMA", struct.pack(">I", 0)),
        "srgb": chunk(b"sRGB", b"\1"), "profile": chunk(b"iCCP", iccp), "profile-empty": chunk(b"iCCP"),
        "profile-cut": chunk(b"iCCP", iccp[:60]), "profile-no-name": chunk(b"iCCP", b"\xff" * 90),
        "profile-checksum": chunk(b"iCCP", iccp, 1), "profile-twice": 2 * chunk(b"iCCP", iccp),
        "chromaticities": chunk(b"cHRM", struct.pack(">8I", *[31270] * 8)), "significant-bits": chunk(b"sBIT", b"\5\6\5"),
        "background": chunk(b"bKGD", struct.pack(">3H", 255, 0, 0)), "resolution": chunk(b"pHYs", struct.pack(">IIB", 1, 9, 0)),
        "resolution-short": chunk(b"pHYs", b"\1"), "time-impossible": chunk(b"tIME", b"\xff" * 7),
        "text": chunk(b"tEXt", b"Title\0A picture"), "text-checksum": chunk(b"tEXt", b"Title\0A picture", 5),
        "text-bomb": chunk(b"zTXt", b"Bomb\0\0" + zlib.compress(b"\0" * 40_000_000, 9)),
        "text-damaged": chunk(b"zTXt", b"Title\0\0not compressed"),
        "private": chunk(b"prVt", b"\1\2\3"), "histogram-unasked": chunk(b"hIST", b"\0" * 20),
    }
    for name, data in around.items():
        m.add("chunk-" + name, png(rgb, 8, COLOUR, before=data), RGB)
    control = chunk(b"acTL", struct.pack(">II", 2, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0))
    other = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)) \
        + chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(rows(255 - rgb, 8, lambda i: 0)))
    m.add("animation", png(rgb, 8, COLOUR, before=control + frame, after=other), RGB)
    m.add("animation-default-apart", png(rgb, 8, COLOUR, before=control, after=other), RGB)
    for o in range(1, 9):
        data = png(rgb, 8, COLOUR, before=chunk(b"eXIf", exif(o)))
        assert np.array_equal(pillow(data), turned(RGB, o)), o
        m.add(f"orientation-{o}", data, turned(RGB, o))
    more = {"big-endian": exif(6, ">"), "long": exif(6, "<", 4), "long-big-endian": exif(8, ">", 4), "impossible": exif(9),
            "cut": exif(6)[:17]}
    for name, block in more.items():
        o = {"long-big-endian": 8, "impossible": 1, "cut": 1}.get(name, 6)
        m.add(f"orientation-{name}", png(rgb, 8, COLOUR, before=chunk(b"eXIf", block)), turned(RGB, o))
    m.add("orientation-after", png(rgb, 8, COLOUR, after=chunk(b"eXIf", exif(5))), turned(RGB, 5))
    itxt = b"XML:com.adobe.xmp\0\0\0\0\0"
    for element in (False, True):
        name = "orientation-xmp" + ("-element" if element else "")
        data = png(rgb, 8, COLOUR, before=chunk(b"iTXt", itxt + xmp(6, element)))
        assert np.array_equal(pillow(data), turned(RGB, 6)), name
        m.add(name, data, turned(RGB, 6))
    for kind in ("tEXt", "zTXt"):
        for head in (b"", b"Exif\0\0"):
            block = exif(8, head=head)
            text = f"\nexif\n{len(block):8d}\n".encode() + b"\n".join(
                block.hex().encode()[i:i + 72] for i in range(0, 2 * len(block), 72)) + b"\n"
            data = b"Raw profile type exif\0" + (text if kind == "tEXt" else b"\0" + zlib.compress(text))
            file = png(rgb, 8, COLOUR, before=chunk(kind.encode(), data))
            assert np.array_equal(pillow(file), turned(RGB, 8)), kind
            m.add(f"orientation-in-{kind}" + ("-with-head" if head else ""), file, turned(RGB, 8))
    packed = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp(7))
    m.add("orientation-xmp-compressed", png(rgb, 8, COLOUR, before=chunk(b"iTXt", packed)), turned(RGB, 7))
    bomb = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 40_000_000)
    m.add("orientation-xmp-bomb", png(rgb, 8, COLOUR, before=chunk(b"iTXt", bomb)), RGB)
    m.add("orientation-exif-before-xmp", png(rgb, 8, COLOUR, before=chunk(b"eXIf", exif(3)) + chunk(b"iTXt", itxt + xmp(6))),
          turned(RGB, 3))


def refused(m):
    rgb = samples(COLOUR, 8)
    whole = png(rgb, 8, COLOUR)
    data = whole.index(b"IDAT")
    for name, at in {"header": 20, "header-begins": 8, "data-begins": data + 4, "data-middle": data + 100, "data-ends": len(whole) - 17,
                     "signature": 12, "before-end-mark": len(whole) - 12, "in-end-mark": len(whole) - 3}.items():
        m.refuse("cut-" + name, whole[:at], "damaged PNG image: it ends before it is complete")

    def flipped(at):
        b = bytearray(whole)
        b[at] ^= 4
        return bytes(b)
    late = png(rgb, 8, COLOUR, after=chunk(b"eXIf", exif(6)))
    m.refuse("cut-orientation-after", late[:late.index(b"eXIf") + 9], "ends before it is complete")
    m.refuse("checksum-header", flipped(30), "a checksum does not fit")
    m.refuse("checksum-data", flipped(data + 50), "a checksum does not fit")
    m.refuse("checksum-palette", png(samples(PALETTE, 2), 2, PALETTE, before=chunk(b"PLTE", colours(4).tobytes(), 7)),
             "a checksum does not fit")
    m.refuse("checksum-transparency", png(rgb, 8, COLOUR, before=chunk(b"tRNS", b"\0\1\0\1\0\1", 7)), "a checksum does not fit")
    m.refuse("palette-missing", png(samples(PALETTE, 2), 2, PALETTE), "no palette")
    m.refuse("palette-odd", png(samples(PALETTE, 2), 2, PALETTE, palette=b"1234"), "no palette")
    m.refuse("unknown-critical", png(rgb, 8, COLOUR, before=chunk(b"NEED", b"1")), "unknown kind of data")
    m.refuse("no-data", SIGNATURE + whole[8:33] + chunk(b"IEND"), "no pixels")
    m.refuse("no-header", SIGNATURE + whole[33:], "does not begin with a header")
    m.refuse("xcode", SIGNATURE + chunk(b"CgBI", b"\x50\0\x20\2") + whole[8:], "Xcode.*convert")
    m.refuse("signature-without-returns", whole.replace(b"\r\n", b"\n", 1), "transfer in text mode")
    m.refuse("signature-of-7-bits", b"\x09" + whole[1:], "transfer in text mode")
    m.refuse("filter-5", png(rgb, 8, COLOUR, filters=lambda i: 5), "unknown filter")
    m.refuse("line-missing", png(rgb[:-1], 8, COLOUR, size=(WIDTH, HEIGHT)), "ends before it is complete")
    m.refuse("data-not-deflate", whole[:data - 4] + chunk(b"IDAT", b"\x11" * 900) + chunk(b"IEND"), "can't be unpacked")
    m.refuse("data-in-two-places", png(rgb, 8, COLOUR).replace(chunk(b"IEND"), b"")[:data - 4]
             + chunk(b"IDAT", whole[data + 4:data + 60]) + chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", whole[data + 60:-16])
             + chunk(b"IEND"), "ends before it is complete")
    for name, fields in {"size-0": (0, 5, 8, 2, 0, 0, 0), "size-negative": (2**31 + 5, 5, 8, 2, 0, 0, 0), "depth-3": (WIDTH, HEIGHT, 3, 0, 0, 0, 0),
                         "rgb-4": (WIDTH, HEIGHT, 4, 2, 0, 0, 0), "palette-16": (WIDTH, HEIGHT, 16, 3, 0, 0, 0),
                         "type-5": (WIDTH, HEIGHT, 8, 5, 0, 0, 0), "compression-1": (WIDTH, HEIGHT, 8, 2, 1, 0, 0),
                         "filters-1": (WIDTH, HEIGHT, 8, 2, 0, 1, 0), "interlace-2": (WIDTH, HEIGHT, 8, 2, 0, 0, 2)}.items():
        m.refuse("header-" + name, SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + whole[33:], "impossible values")
    m.refuse("header-size-huge", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + whole[33:],
             "too large")
    m.refuse("header-size-beyond-data", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0)) + whole[33:],
             "ends before it is complete")


def make():
    m = Matrix("png")
    kinds(m)
    storage(m)
    chunks(m)
    refused(m)
    m.write("png.zip")
