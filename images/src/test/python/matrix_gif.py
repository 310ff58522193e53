"""The GIF files of the image matrix, written block by block, and checked against Pillow where it reads a kind."""
import struct

import numpy as np

from matrix import HEIGHT, WIDTH, Matrix, pillow

y, x = np.mgrid[0:HEIGHT, 0:WIDTH]


def indices(bits):
    return ((3 * x + 5 * y + x * y // 7) % (1 << bits)).astype(np.uint8)


def colours(count, seed=0):
    i = np.arange(count) + seed
    return np.stack([(37 * i + 11) % 256, (101 * i + 60) % 256, (203 * i + 90) % 256], -1).astype(np.uint8)


def lzw(values, size, clear_again=None, clear_first=True, end=True):
    """Codes of variable length; with clear_again the table is emptied after so many codes, with 0 never again."""
    clear = 1 << size
    bits, out, n = 0, bytearray(), 0

    def put(code, width):
        nonlocal bits, n
        bits |= code << n
        n += width
        while n >= 8:
            out.append(bits & 255)
            bits >>= 8
            n -= 8
    table, width = {(i,): i for i in range(clear)}, size + 1
    following = clear + 2
    if clear_first:
        put(clear, width)
    sequence, codes = (), 0
    for v in values:
        v = (v,)
        if sequence + v in table:
            sequence += v
            continue
        put(table[sequence], width)
        codes += 1
        if following < 4096:
            table[sequence + v] = following
            following += 1
            if following > 1 << width and width < 12:
                width += 1
        if clear_again != 0 and (following == 4096 and clear_again is None or clear_again and codes % clear_again == 0):
            put(clear, width)
            table, width, following = {(i,): i for i in range(clear)}, size + 1, clear + 2
        sequence = v
    put(table[sequence], width)
    if following == 1 << width and following < 4096:
        width += 1
    if end:
        put(clear + 1, width)
    if n:
        out.append(bits & 255)
    return bytes(out)


def blocks(data, length=255):
    return b"".join(bytes([len(data[i:i + length])]) + data[i:i + length] for i in range(0, len(data), length)) + b"\0"


def interlaced(i):
    return np.concatenate([i[0::8], i[4::8], i[2::4], i[1::2]])


def control(transparent=None, disposal=0):
    return b"!\xf9\4" + bytes([disposal << 2 | (transparent is not None), 5, 0, transparent or 0]) + b"\0"


def frame(i, size, left=0, top=0, lace=False, local=None, block=255, **lzw_options):
    h, w = i.shape
    flags = (0x40 if lace else 0) | (0 if local is None else 0x80 | (len(local) // 2).bit_length() - 1)
    return (b"," + struct.pack("<HHHHB", left, top, w, h, flags) + (b"" if local is None else local.tobytes()) + bytes([max(size, 2)])
            + blocks(lzw((interlaced(i) if lace else i).reshape(-1).tolist(), max(size, 2), **lzw_options), block))


def gif(frames, table=None, screen=(WIDTH, HEIGHT), version=b"89a", background=0, end=b";"):
    flags = 0x70 if table is None else 0xf0 | (len(table) // 2).bit_length() - 1
    return b"GIF" + version + struct.pack("<HHBBB", *screen, flags, background, 0) + (b"" if table is None else table.tobytes()) \
        + frames + end


def add(m, name, data, pixels, by_pillow=True):
    if by_pillow:
        assert np.array_equal(pillow(data), pixels), name
    m.add(name, data, pixels)


def kinds(m):
    for bits in range(1, 9):
        i, table = indices(bits), colours(1 << bits)
        for lace in (False, True):
            for local in (False, True):
                name = f"colours-{bits}-bits" + ("-interlaced" if lace else "") + ("-local" if local else "")
                data = gif(frame(i, bits, lace=lace, local=table if local else None), None if local else table)
                add(m, name, data, table[i])
        clear = int(i[2, 3])
        want = table[i]
        want[i == clear] = 0
        for lace in (False, True):
            add(m, f"transparent-{bits}-bits" + ("-interlaced" if lace else ""),
                gif(control(clear) + frame(i, bits, lace=lace), table), want)
        if bits < 8:
            # No pixel has this index: nothing is transparent.
            for beyond in (1 << bits, 255):
                add(m, f"transparent-{bits}-bits-beyond-table-{beyond}", gif(control(beyond) + frame(i, bits), table), table[i])
    i, table = indices(8), colours(256)
    add(m, "version-87a", gif(frame(i, 8), table, version=b"87a"), table[i])
    add(m, "table-local-beside-global", gif(frame(i, 8, local=colours(256, 9)), table), colours(256, 9)[i])
    short = np.concatenate([colours(16), np.zeros((240, 3), np.uint8)])
    add(m, "table-short", gif(frame(i, 8), colours(16)), short[i])
    add(m, "table-short-transparent", gif(control(200) + frame(i, 8), colours(16)), short[i])
    for h, w in ((1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (4, 4), (5, 9), (9, 3)):
        for lace in (False, True):
            add(m, f"size-{w}x{h}" + ("-interlaced" if lace else ""), gif(frame(i[:h, :w], 8, lace=lace), table, (w, h)), table[i[:h, :w]])
    for disposal in range(1, 4):
        later = control(0, disposal) + frame(255 - i, 8)
        add(m, f"animation-disposal-{disposal}", gif(control(None, disposal) + frame(i, 8) + later, table), table[i])
    loop = b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    add(m, "animation-loop", gif(loop + control() + frame(i, 8) + control() + frame(i[:5, :5], 8), table), table[i])
    comment = b"!\xfe" + blocks(b"a comment, " * 50)
    text = b"!\x01\x0c" + b"\0" * 12 + blocks(b"plain text")
    for name, extension in {"comment": comment, "text": text, "unknown": b"!\x77" + blocks(b"x" * 300), "comment-empty": b"!\xfe\0",
                            "application": b"!\xff\x0bXMP DataXMP" + blocks(b"x" * 600), "zeros": b"\0\0\0"}.items():
        add(m, "extension-" + name, gif(extension + frame(i, 8), table), table[i])


def placed(m):
    i, table = indices(8), colours(256)
    for name, (left, top, screen) in {"inside": (3, 2, (WIDTH + 9, HEIGHT + 5)), "corner": (9, 5, (WIDTH + 9, HEIGHT + 5)),
                                      "beyond-right": (6, 0, (WIDTH, HEIGHT)), "beyond-below": (0, 9, (WIDTH, HEIGHT)),
                                      "beyond-both": (4, 4, (10, 8)), "outside": (30, 20, (10, 8)), "screen-0": (0, 0, (0, 0)),
                                      "screen-narrow": (0, 0, (3, 200)), "screen-wide": (0, 0, (200, 3))}.items():
        w, h = max(screen[0], left + WIDTH), max(screen[1], top + HEIGHT)
        for transparent in (None, 7):
            want = np.zeros((h, w, 3), np.uint8)
            part = table[i]
            if transparent is not None:
                part[i == transparent] = 0
            want[top:top + HEIGHT, left:left + WIDTH] = part
            # Pillow shows the first colour around a frame without transparency; programs that show GIF files show nothing there.
            add(m, f"placed-{name}" + ("" if transparent is None else "-transparent"),
                gif((control(transparent) if transparent is not None else b"") + frame(i, 8, left, top), table, screen, background=5),
                want, transparent is not None)


def codes(m):
    i, table = indices(8), colours(256)
    for block in (1, 2, 100):
        add(m, f"codes-blocks-of-{block}", gif(frame(i, 8, block=block), table), table[i])
    add(m, "codes-cleared-often", gif(frame(i, 8, clear_again=9), table), table[i])
    add(m, "codes-no-clear-first", gif(frame(i, 8, clear_first=False), table), table[i])
    add(m, "codes-no-end", gif(frame(i, 8, end=False), table), table[i])
    add(m, "codes-no-trailer", gif(frame(i, 8), table, end=b""), table[i])
    add(m, "codes-trailing-bytes", gif(frame(i, 8), table) + b"more" * 9, table[i])
    large = np.random.RandomState(1).randint(0, 4, (110, 120)).astype(np.uint8) + indices(6).repeat(8, 0)[:110].repeat(6, 1)[:, :120]
    add(m, "codes-table-full-and-cleared", gif(frame(large, 8), table, (120, 110)), table[large])
    add(m, "codes-table-full-and-kept", gif(frame(large, 8, clear_again=0), table, (120, 110)), table[large])
    for size in (9, 11):
        data = gif(frame(i, size), table)
        add(m, f"codes-of-{size}-bits", data, table[i])
    flat = np.full((90, 100), 5, np.uint8)
    add(m, "codes-long-sequences", gif(frame(flat, 8), table, (100, 90)), table[flat])
    extra = np.concatenate([i, i])
    data = gif(frame(extra, 8), table)
    at = data.index(b"," + struct.pack("<HHHH", 0, 0, WIDTH, 2 * HEIGHT))
    add(m, "codes-more-than-pixels", data[:at + 7] + struct.pack("<H", HEIGHT) + data[at + 9:], table[i], False)


def refused(m):
    i, table = indices(8), colours(256)
    whole = gif(frame(i, 8), table)
    data = whole.index(b"," + struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT))
    for name, at in {"signature": 6, "screen": 10, "table": 300, "before-frame": data, "frame-header": data + 6, "code-size": data + 10,
                     "codes-begin": data + 11, "codes-middle": data + 150, "codes-nearly-all": len(whole) - 6}.items():
        m.refuse("cut-" + name, whole[:at], "ends before its first frame")
    m.refuse("cut-local-table", gif(frame(i, 8, local=table))[:300], "ends before its first frame")
    m.refuse("cut-extension", gif(b"!\xfe" + blocks(b"a" * 200), table)[:900], "ends before its first frame")
    m.refuse("ends-early", gif(frame(i[:-1], 8), table).replace(struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT - 1),
                                                                 struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT)), "ends before its first frame is complete")
    m.refuse("no-frame", gif(b"", table), "no frame")
    m.refuse("no-frame-comment", gif(b"!\xfe" + blocks(b"only"), table), "no frame")
    m.refuse("no-table", gif(frame(i, 8)), "without a colour table.*convert")
    m.refuse("unknown-block", gif(b"?" + frame(i, 8), table), "no frame")
    for size in (0, 12, 255):
        m.refuse(f"code-size-{size}", whole[:data + 10] + bytes([size]) + whole[data + 11:], f"code size {size}")
    m.refuse("code-impossible", whole[:data + 10] + b"\2" + blocks(b"\x34\xff\xff\xff") + b";", "impossible code|ends before")
    m.refuse("frame-0", gif(b"," + struct.pack("<HHHHB", 0, 0, 0, 5, 0) + b"\2" + blocks(b"\0"), table), "0x5 pixels")
    m.refuse("frame-huge", gif(b"," + struct.pack("<HHHHB", 0, 0, 60000, 60000, 0) + b"\2" + blocks(b"\x44\1"), table), "too large")
    m.refuse("frame-beyond-data", gif(b"," + struct.pack("<HHHHB", 0, 0, 9000, 9000, 0) + b"\2" + blocks(b"\x44\1"), table),
             "ends before its first frame is complete")


def make():
    m = Matrix("gif")
    kinds(m)
    placed(m)
    codes(m)
    refused(m)
    m.write("gif.zip")
