"""The BMP files of the image matrix, written field by field, and checked against Pillow where it reads a kind."""
import struct

import numpy as np

from matrix import ALPHA, HEIGHT, RGB, WIDTH, Matrix, over, pillow

y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
SIZES = {"os2": 12, "os2-short": 16, "v1": 40, "v2": 52, "v3": 56, "os2-v2": 64, "v4": 108, "v5": 124}
MASKS = {"888": (0xff0000, 0xff00, 0xff), "565": (0xf800, 0x7e0, 0x1f), "555": (0x7c00, 0x3e0, 0x1f)}


def indices(bits):
    return ((3 * x + 5 * y + x * y // 7) % (1 << bits)).astype(np.uint8)


def colours(count):
    i = np.arange(count)
    return np.stack([(37 * i + 11) % 256, (101 * i + 60) % 256, (203 * i + 90) % 256], -1).astype(np.uint8)


def packed(values, bits):
    """Lines of values of so many bits, padded to 4 bytes."""
    lines = []
    for row in values:
        if bits <= 8:
            text = "".join(format(v, f"0{bits}b") for v in row)
            text += "0" * (-len(text) % 8)
            line = bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
        else:
            line = b"".join(int(v).to_bytes(bits // 8, "little") for v in row)
        lines.append(line + b"\0" * (-len(line) % 4))
    return lines


def bmp(lines, bits, header="v1", compression=0, top_down=False, palette=None, masks=None, size=(WIDTH, HEIGHT), count=None, gap=b"",
        offset=None, file_header=True, image_size=0):
    n = SIZES[header]
    w, h = size
    if n == 12:
        head = struct.pack("<IHHHH", 12, w, h, 1, bits)
    else:
        fields = struct.pack("<IiiHHIIiiII", n, w, -h if top_down else h, 1, bits, compression, image_size, 2835, 2835,
                             (0 if palette is None else len(palette)) if count is None else count, 0)
        extra = b"".join(struct.pack("<I", m) for m in masks) if masks else b""
        if n == 40:
            head = fields + extra
        else:
            head = (fields + (b"" if n == 64 else extra))[:n].ljust(n, b"\0")
    table = b""
    if palette is not None:
        table = b"".join(bytes(c[::-1]) + (b"" if n == 12 else b"\0") for c in palette)
    pixels = b"".join(lines if top_down or isinstance(lines, bytes) else lines[::-1]) if not isinstance(lines, bytes) else lines
    start = (14 if file_header else 0) + len(head) + len(table) + len(gap)
    body = head + table + gap + pixels
    if not file_header:
        return body
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, start if offset is None else offset) + body


def add(m, name, data, pixels, by_pillow=True):
    if by_pillow:
        assert np.array_equal(pillow(data), pixels), name
    m.add(name, data, pixels)


def field(values, mask):
    """8-bit values put into the bits of a mask, and what they become when they are read again."""
    bits = bin(mask).count("1")
    shift = (mask & -mask).bit_length() - 1
    stored = values.astype(np.int64) >> 8 - bits if bits <= 8 else values.astype(np.int64) << bits - 8
    return stored << shift, (stored * 255 // ((1 << bits) - 1)).astype(np.uint8)


def palettes(m):
    for bits in (1, 2, 4, 8):
        i, table = indices(bits), colours(1 << bits)
        for header in SIZES:
            for top_down in (False, True):
                if top_down and header == "os2":
                    continue
                data = bmp(packed(i, bits), bits, header, top_down=top_down, palette=table)
                add(m, f"palette-{bits}-{header}" + ("-top-down" if top_down else ""), data, table[i],
                    bits != 2 and header != "os2-short")
    i = indices(8)
    add(m, "palette-8-short", bmp(packed(i, 8), 8, palette=colours(90)), np.concatenate([colours(90), np.zeros((166, 3), np.uint8)])[i])
    add(m, "palette-4-short", bmp(packed(indices(4), 4), 4, palette=colours(5)),
        np.concatenate([colours(5), np.zeros((11, 3), np.uint8)])[indices(4)])
    long = np.concatenate([colours(256), colours(44)])
    add(m, "palette-8-long", bmp(packed(i, 8), 8, palette=long), colours(256)[i], False)
    add(m, "palette-8-count-0", bmp(packed(i, 8), 8, palette=colours(256), count=0), colours(256)[i])
    add(m, "palette-8-gap", bmp(packed(i, 8), 8, palette=colours(256), gap=b"gap!" * 5), colours(256)[i])
    add(m, "palette-8-offset-of-header", bmp(packed(i, 8), 8, palette=colours(256), offset=54), colours(256)[i])
    add(m, "palette-8-offset-0", bmp(packed(i, 8), 8, palette=colours(256), offset=0), colours(256)[i])
    add(m, "palette-8-grey", bmp(packed(i, 8), 8, palette=np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)),
        np.repeat(i[..., None], 3, -1))


def direct(m):
    value24 = (RGB.astype(np.int64) * (65536, 256, 1)).sum(-1)
    for header in SIZES:
        for top_down in (False, True):
            if top_down and header == "os2":
                continue
            suffix = f"-{header}" + ("-top-down" if top_down else "")
            known = header != "os2-short"
            add(m, "rgb-24" + suffix, bmp(packed(value24, 24), 24, header, top_down=top_down), RGB, known)
            if header != "os2":
                unused = value24 | ALPHA.astype(np.int64) << 24
                add(m, "rgb-32" + suffix, bmp(packed(unused, 32), 32, header, top_down=top_down), RGB, known)
                stored, read = zip(*(field(RGB[..., c], MASKS["555"][c]) for c in range(3)))
                add(m, "rgb-16" + suffix, bmp(packed(sum(stored), 16), 16, header, top_down=top_down), np.stack(read, -1), known)
    for w in range(1, 6):
        add(m, f"size-{w}x2", bmp(packed(value24[:2, :w], 24), 24, size=(w, 2)), RGB[:2, :w])
    data = bmp(packed(value24, 24), 24)
    add(m, "rgb-24-trailing-bytes", data + b"more" * 9, RGB)
    cases = {"16-565": (16, MASKS["565"]), "16-555": (16, MASKS["555"]), "16-444": (16, (0xf00, 0xf0, 0xf)),
             "16-swapped": (16, (0x1f, 0x7e0, 0xf800)), "24-888": (24, MASKS["888"]), "32-888": (32, MASKS["888"]),
             "32-swapped": (32, (0xff, 0xff00, 0xff0000)), "32-upper": (32, (0xff000000, 0xff0000, 0xff00)),
             "32-10-bits": (32, (0x3ff00000, 0xffc00, 0x3ff)), "32-mixed": (32, (0xfc0, 0x3f000, 0x1f))}
    for name, (bits, masks) in cases.items():
        stored, read = zip(*(field(RGB[..., c], masks[c]) for c in range(3)))
        for header in ("v1", "v2", "v3", "v4", "v5"):
            value = sum(stored)
            known = name in ("16-565", "16-555", "32-888", "32-upper") or name == "24-888"
            add(m, f"masks-{name}-{header}", bmp(packed(value, bits), bits, header, 3, masks=masks), np.stack(read, -1), known)
    for name, alpha, masks in (("bgra", 0xff000000, MASKS["888"]), ("rgba", 0xff000000, (0xff, 0xff00, 0xff0000)),
                               ("abgr", 0xff, (0xff000000, 0xff0000, 0xff00))):
        stored, read = zip(*(field(RGB[..., c], masks[c]) for c in range(3)))
        value = sum(stored) | field(ALPHA, alpha)[0]
        for header in ("v3", "v4", "v5"):
            add(m, f"alpha-{name}-{header}", bmp(packed(value, 32), 32, header, 3, masks=(*masks, alpha)),
                over(np.stack(read, -1), ALPHA[..., None]))
        add(m, f"alpha-{name}-v1", bmp(packed(value, 32), 32, "v1", 6, masks=(*masks, alpha)),
            over(np.stack(read, -1), ALPHA[..., None]), False)
    value = value24 | ALPHA.astype(np.int64) << 24
    add(m, "alpha-masks-zero", bmp(packed(value, 32), 32, "v4", 3, masks=(0, 0, 0, 0)), over(RGB, ALPHA[..., None]))
    add(m, "alpha-mask-without-bitfields", bmp(packed(value, 32), 32, "v5", 0, masks=(*MASKS["888"], 0xff000000)), RGB)
    stored, read = zip(*(field(RGB[..., c], MASKS["555"][c]) for c in range(3)))
    # The program follows Pillow, which leaves the opacity of one bit out.
    add(m, "alpha-16-1555", bmp(packed(sum(stored) | field(ALPHA, 0x8000)[0], 16), 16, "v5", 3, masks=(*MASKS["555"], 0x8000)),
        np.stack(read, -1))
    masks = (0xf00, 0xf0, 0xf, 0xf000)
    stored, read = zip(*(field(RGB[..., c], masks[c]) for c in range(3)))
    opacity, read_opacity = field(ALPHA, masks[3])
    add(m, "alpha-16-4444", bmp(packed(sum(stored) | opacity, 16), 16, "v5", 3, masks=masks),
        over(np.stack(read, -1), read_opacity[..., None]), False)
    for header in ("os2", "v1", "v4", "v5"):
        data = bmp(packed(value24, 24), 24, header, file_header=False)
        from PIL import BmpImagePlugin
        import io
        assert np.array_equal(np.asarray(BmpImagePlugin.DibImageFile(io.BytesIO(data)).convert("RGB")), RGB)
        m.add("bare-" + header, data, RGB)
    m.add("bare-palette-8", bmp(packed(indices(8), 8), 8, palette=colours(256), file_header=False), colours(256)[indices(8)])


def runs(bits):
    """The picture in runs, in literal pixels, or as they come."""
    i = indices(bits).copy()
    i[3, 2:15] = 2
    i[5] = 1
    out = b""
    for line in i[::-1]:
        at = 0
        while at < WIDTH:
            length = 1
            while at + length < WIDTH and line[at + length] == line[at]:
                length += 1
            if length >= 3 or WIDTH - at < 3:
                v = int(line[at])
                out += bytes([length, v if bits == 8 else v << 4 | v])
                at += length
            else:
                # A length that is no multiple of 4, so that both paddings come up.
                length = min(WIDTH - at, 7 if at % 2 else 9)
                part = [int(v) for v in line[at:at + length]]
                body = bytes(part) if bits == 8 else bytes(
                    part[j] << 4 | (part[j + 1] if j + 1 < length else 0) for j in range(0, length, 2))
                out += bytes([0, length]) + body + b"\0" * (len(body) % 2)
                at += length
        out += b"\0\0"
    return i, out


def run_length(m):
    for bits, compression in ((8, 1), (4, 2)):
        table = colours(1 << bits)
        i, out = runs(bits)
        for header in ("v1", "v4", "v5"):
            # Pillow reads one pixel too few of a literal run of 4 bits with an odd length.
            add(m, f"runs-{bits}-{header}", bmp(out[:-2] + b"\0\1", bits, header, compression, palette=table), table[i], bits == 8)
        add(m, f"runs-{bits}-without-end", bmp(out[:-2], bits, "v1", compression, palette=table), table[i], bits == 8)
        add(m, f"runs-{bits}-end-of-line-and-bitmap", bmp(out + b"\0\1", bits, "v1", compression, palette=table), table[i], bits == 8)
        pair = bytes([10, 0x12])
        even = np.full((2, 10), 0x12) if bits == 8 else np.tile([1, 2], (2, 5))
        add(m, f"runs-{bits}-pairs", bmp(pair + b"\0\0" + pair + b"\0\1", bits, "v1", compression, palette=table, size=(10, 2)),
            table[even])
        moved = np.zeros((3, 6), int)
        moved[2, 0:2] = 3
        moved[0, 4:6] = 3
        v = 3 if bits == 8 else 0x33
        add(m, f"runs-{bits}-moved", bmp(bytes([2, v, 0, 2, 2, 2, 2, v, 0, 1]), bits, "v1", compression, palette=table, size=(6, 3)),
            table[moved])
        early = np.zeros((3, 4), int)
        early[2] = 3
        # Pillow refuses this. What is left out has the first colour, as where a move leaves it out.
        add(m, f"runs-{bits}-ended-early", bmp(bytes([4, v, 0, 1]), bits, "v1", compression, palette=table, size=(4, 3)), table[early],
            False)
        add(m, f"runs-{bits}-beyond-line", bmp(bytes([9, v, 0, 0, 9, v, 0, 1]), bits, "v1", compression, palette=table, size=(4, 2)),
            table[np.full((2, 4), 3)])
        m.refuse(f"runs-{bits}-cut", bmp(out[:len(out) // 2], bits, "v1", compression, palette=table), "ends before its pixels")
        m.refuse(f"runs-{bits}-cut-in-literal", bmp(bytes([0, 9, 1, 2]), bits, "v1", compression, palette=table), "ends before its pixels")
        m.refuse(f"runs-{bits}-literal-beyond-line", bmp(bytes([0, 6, 1, 2, 3, 4, 5, 6]) * 3, bits, "v1", compression, palette=table, size=(4, 2)),
                 "beyond the picture")
        m.refuse(f"runs-{bits}-move-beyond", bmp(bytes([2, v, 0, 2, 9, 1, 2, v, 0, 1]), bits, "v1", compression, palette=table, size=(6, 3)),
                 "beyond the picture")
        add(m, f"runs-{bits}-top-down", bmp(bytes([4, v, 0, 0, 4, 0, 0, 1]), bits, "v1", compression, top_down=True, palette=table, size=(4, 2)),
            table[np.array([[3] * 4, [0] * 4])])


def refused(m):
    value24 = (RGB.astype(np.int64) * (65536, 256, 1)).sum(-1)
    whole = bmp(packed(value24, 24), 24)
    for name, at in {"signature": 2, "file-header": 13, "header": 30, "pixels-begin": 54, "pixels-middle": 400, "last-byte": len(whole) - 1}.items():
        m.refuse("cut-" + name, whole[:at], "ends before its pixels are complete")
    m.refuse("cut-palette", bmp(packed(indices(8), 8), 8, palette=colours(256))[:500], "ends before its pixels are complete")
    jpeg = b"\xff\xd8\xff\xe0" + b"\0" * 600
    m.refuse("holds-jpeg", bmp(jpeg, 0, compression=4, image_size=0x7fffffff), "holds a JPEG.*convert")
    m.refuse("holds-jpeg-24", bmp(jpeg, 24, compression=4, image_size=0x7fffffff), "holds a JPEG.*convert")
    m.refuse("holds-png", bmp(b"\x89PNG" + b"\0" * 600, 0, "v5", compression=5), "holds a PNG.*convert")
    m.refuse("compression-os2-huffman", bmp(b"\0" * 600, 1, "os2-v2", 3, palette=colours(2)), "compression 3 of OS/2.*convert")
    m.refuse("compression-os2-runs-24", bmp(b"\0" * 600, 24, "os2-v2", 4), "compression 4 of OS/2.*convert")
    m.refuse("compression-11", bmp(b"\0" * 2000, 24, "v4", 11), "compression 11.*convert")
    m.refuse("compression-negative", bmp(b"\0" * 2000, 24, "v4", 0xfffffff0), "compression 4294967280")
    m.refuse("bits-3", bmp(b"\0" * 2000, 3, palette=colours(8)), "3 bits a pixel")
    m.refuse("bits-64", bmp(b"\0" * 4000, 64), "64 bits a pixel")
    m.refuse("runs-of-24-bits", bmp(b"\0" * 2000, 24, "v1", 1), "24 bits a pixel in compression 1")
    m.refuse("runs-of-8-as-4", bmp(b"\0" * 2000, 4, "v1", 1, palette=colours(16)), "4 bits a pixel in compression 1")
    m.refuse("size-0", bmp(b"\0" * 99, 24, size=(0, 5)), "0x5 pixels")
    m.refuse("size-negative", bmp(b"\0" * 99, 24, size=(-3, 5)), "-3x5 pixels")
    m.refuse("size-huge", bmp(b"\0" * 99, 24, size=(40000, 40000)), "ends before|too large")
    m.refuse("size-runs-huge", bmp(b"\0\1" * 99, 8, "v1", 1, palette=colours(256), size=(40000, 40000)), "too large")
    m.refuse("header-unknown", b"BM" + struct.pack("<IHHII", 999, 0, 0, 54, 41) + b"\0" * 200, "unknown header of 41 bytes")
    m.refuse("masks-apart", bmp(packed(value24, 32), 32, "v4", 3, masks=(0xf0f00000, 0xff00, 0xff, 0)), "not next to each other")
    m.refuse("offset-beyond", bmp(packed(value24, 24), 24, offset=99999), "ends before its pixels")
    m.refuse("offset-in-header", bmp(packed(value24, 24), 24, offset=20), "ends before its pixels|begin")


def make():
    m = Matrix("bmp")
    palettes(m)
    direct(m)
    run_length(m)
    refused(m)
    m.write("bmp.zip")
