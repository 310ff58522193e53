"""The JPEG files of the image matrix: written by Pillow (libjpeg-turbo), then changed segment by segment; pixels as Pillow reads them."""
import io
import struct

import numpy as np
from PIL import Image

from matrix import ALPHA, HEIGHT, RGB, WIDTH, Matrix, exif, large, pillow, profile, turned, xmp

"""Largest and mean difference allowed: another inverse DCT, conversion and, where chroma is halved, interpolation."""
FULL, HALVED, CMYK = (4, 1), (8, 1.5), (5, 1)
IMAGE = Image.fromarray(RGB)


def jpeg(image=IMAGE, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 92, "subsampling": 0, **options})
    return out.getvalue()


def segment(marker, data):
    return struct.pack(">BBH", 0xff, marker, len(data) + 2) + data


def after_start(data, extra):
    return data[:2] + extra + data[2:]


def segments(data):
    """The segments before the first scan's data: (marker, from, to), and where the data begin."""
    at, found = 2, []
    while True:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        found.append((marker, at, at + 2 + length))
        at += 2 + length
        if marker == 0xda:
            return found, at


def without(data, *markers):
    found, at = segments(data)
    return data[:2] + b"".join(data[a:b] for m, a, b in found if m not in markers) + data[at:]


def components(data, ids):
    """Gives the components other identifiers, in the frame's and in the scans' headers."""
    b = bytearray(data)
    at = 2
    names = {}
    while at < len(b) - 3:
        if b[at] != 0xff or b[at + 1] == 0 or 0xd0 <= b[at + 1] <= 0xd9:
            at += 1
            continue
        marker, length = b[at + 1], struct.unpack_from(">H", b, at + 2)[0]
        if marker in (0xc0, 0xc1, 0xc2):
            for i in range(b[at + 9]):
                names[b[at + 10 + 3 * i]] = ids[i]
                b[at + 10 + 3 * i] = ids[i]
        elif marker == 0xda:
            for i in range(b[at + 4]):
                b[at + 5 + 2 * i] = names[b[at + 5 + 2 * i]]
        at += 2 + length
    return bytes(b)


def adobe(transform, version=100, more=b""):
    return segment(0xee, b"Adobe" + struct.pack(">HHHB", version, 0, 0, transform) + more)


def add(m, name, data, tolerance=FULL, pixels=None):
    m.add(name, data, pillow(data) if pixels is None else pixels, tolerance)


def kinds(m):
    ink = IMAGE.convert("CMYK")
    dark = np.asarray(ink).copy()
    dark[..., 3] = 255 - ALPHA // 3
    for mode, image in {"rgb": IMAGE, "grey": IMAGE.convert("L"), "cmyk": ink, "cmyk-dark": Image.fromarray(dark, "CMYK")}.items():
        tolerance = CMYK if mode.startswith("cmyk") else FULL
        for progressive in (False, True):
            for quality in (60, 92, 100):
                name = f"{mode}-{'progressive' if progressive else 'baseline'}-{quality}"
                add(m, name, jpeg(image, progressive=progressive, quality=quality), tolerance)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        for progressive in (False, True):
            for odd in (0, 1):
                image = Image.fromarray(RGB[:HEIGHT - odd, :WIDTH - odd])
                name = f"sampling-{sampling.replace(':', '')}-{'progressive' if progressive else 'baseline'}" + ("-odd" if odd else "")
                add(m, name, jpeg(image, subsampling=sampling, progressive=progressive), FULL if sampling == "4:4:4" else HALVED)
    for w, h in ((1, 1), (1, 9), (9, 1), (8, 8), (17, 13)):
        for sampling in (0, 2):
            add(m, f"size-{w}x{h}-{'444' if sampling == 0 else '420'}", jpeg(Image.fromarray(RGB[:h, :w]), subsampling=sampling),
                HALVED if sampling else FULL)
    for name, options in {"restart-1": dict(restart_marker_blocks=1), "restart-rows": dict(restart_marker_rows=1),
                          "restart-progressive": dict(restart_marker_blocks=2, progressive=True), "optimised": dict(optimize=True),
                          "quality-5": dict(quality=5), "comment": dict(comment=b"a comment")}.items():
        add(m, "options-" + name, jpeg(**options))
    for progressive in (False, True):
        name = "large-" + ("progressive" if progressive else "baseline")
        add(m, name, jpeg(Image.fromarray(large()), quality=75, subsampling=2, progressive=progressive), HALVED)
    ycck = bytearray(jpeg(ink))
    ycck[ycck.index(b"Adobe") + 11] = 2
    add(m, "ycck-baseline", bytes(ycck), CMYK)
    ycck = bytearray(jpeg(ink, progressive=True))
    ycck[ycck.index(b"Adobe") + 11] = 2
    add(m, "ycck-progressive", bytes(ycck), CMYK)


def markers(m):
    plain = jpeg()
    bare = without(plain, 0xe0)
    add(m, "marker-none", bare)
    for transform in (0, 1, 2, 5):
        add(m, f"marker-adobe-{transform}", after_start(bare, adobe(transform)))
        add(m, f"marker-adobe-{transform}-beside-jfif", plain[:20] + adobe(transform) + plain[20:])
    add(m, "marker-adobe-long", after_start(bare, adobe(1, more=b"\0" * 20)))
    add(m, "marker-adobe-short", after_start(bare, segment(0xee, b"Adobe\0\x64")))
    grey = without(jpeg(IMAGE.convert("L")), 0xe0)
    for transform in (0, 1, 2):
        add(m, f"marker-grey-adobe-{transform}", after_start(grey, adobe(transform)))
    ink = jpeg(IMAGE.convert("CMYK"))
    add(m, "marker-cmyk-without-adobe", without(ink, 0xee), CMYK)
    for name, ids in {"rgb": b"RGB", "0-1-2": b"\0\1\2", "1-34-35": b"\1\x22\x23", "1-1-1": None, "bgr": b"BGR", "255": b"\xfd\xfe\xff"}.items():
        if ids:
            for jfif in (False, True):
                for progressive in (False, True):
                    data = components(jpeg(progressive=progressive), ids)
                    add(m, f"ids-{name}-{'jfif' if jfif else 'bare'}" + ("-progressive" if progressive else ""),
                        data if jfif else without(data, 0xe0))
    real = after_start(without(components(jpeg(keep_rgb=True), b"RGB"), 0xe0, 0xee), b"")
    add(m, "ids-rgb-stored-as-rgb", real)
    add(m, "marker-rgb-stored-as-rgb-adobe-0", jpeg(keep_rgb=True))
    for n in (1, 2, 7):
        # Fill bytes before a marker are allowed; other bytes between segments are not, and libjpeg skips them.
        found, _ = segments(plain)
        first = found[1][1]
        add(m, f"between-fill-{n}", plain[:first] + b"\xff" * n + plain[first:])
        add(m, f"between-zeros-{n}", plain[:first] + b"\0" * n + plain[first:])
        add(m, f"between-bytes-{n}", plain[:first] + b"\x12" * n + plain[first:])
    frame = [f for f in segments(plain)[0] if f[0] in (0xc0, 0xc2)][0][1]
    add(m, "between-zeros-before-frame", plain[:frame] + b"\0" * 5 + plain[frame:])
    add(m, "between-zeros-before-end", plain[:-2] + b"\0" * 5 + plain[-2:])
    add(m, "between-fill-before-end", plain[:-2] + b"\xff" * 5 + plain[-2:])
    add(m, "trailing-bytes", plain + b"more" * 20)
    add(m, "trailing-jpeg", plain + jpeg(Image.fromarray(255 - RGB)))
    add(m, "trailing-end-twice", plain + b"\xff\xd9")
    thumbnail = jpeg(Image.fromarray(255 - RGB))
    add(m, "thumbnail-in-segment", after_start(plain, segment(0xe1, b"Exif\0\0" + exif(1) + thumbnail)))
    add(m, "density-units-impossible", plain[:13] + b"\7" + plain[14:])
    add(m, "segment-unknown", after_start(plain, segment(0xec, b"Ducky\0" + b"\1" * 9) + segment(0xed, b"Photoshop 3.0\0" + b"x" * 30)))


def profiles(m):
    icc = profile()

    def part(i, n, data):
        return segment(0xe2, b"ICC_PROFILE\0" + bytes([i, n]) + data)
    cases = {"whole": part(1, 1, icc), "two-parts": part(1, 2, icc[:99]) + part(2, 2, icc[99:]),
             "parts-swapped": part(2, 2, icc[99:]) + part(1, 2, icc[:99]), "part-missing": part(1, 2, icc[:99]),
             "twice": 2 * part(1, 1, icc), "empty": part(1, 1, b""), "cut": part(1, 1, icc[:200]), "garbage": part(1, 1, b"\xff" * 300),
             "number-0": part(0, 1, icc), "count-0": part(1, 0, icc), "short-segment": segment(0xe2, b"ICC_PROFILE\0"),
             "grey-model": part(1, 1, icc[:16] + b"GRAY" + icc[20:]), "cmyk-model": part(1, 1, icc[:16] + b"CMYK" + icc[20:]),
             "lab-model": part(1, 1, icc[:16] + b"Lab " + icc[20:]), "size-wrong": part(1, 1, b"\0\0\xff\xff" + icc[4:]),
             "no-tags": part(1, 1, icc[:128] + b"\0\0\0\0")}
    plain = RGB
    for name, segments_ in cases.items():
        add(m, "profile-" + name, after_start(jpeg(), segments_), pixels=pillow(jpeg()))
    for mode in ("L", "CMYK"):
        data = jpeg(IMAGE.convert(mode))
        add(m, "profile-rgb-in-" + mode.lower(), after_start(data, part(1, 1, icc)), CMYK if mode == "CMYK" else FULL, pillow(data))
    assert plain is RGB


def orientations(m):
    plain = jpeg()
    upright = pillow(plain)

    def app1(block):
        return segment(0xe1, b"Exif\0\0" + block)

    def with_xmp(packet):
        return segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + packet)
    for o in range(1, 9):
        data = after_start(plain, app1(exif(o)))
        assert np.array_equal(pillow(data), turned(upright, o))
        add(m, f"orientation-{o}", data)
        add(m, f"orientation-{o}-long-big-endian", after_start(plain, app1(exif(o, ">", 4))), pixels=turned(upright, o))
    for o in (3, 5, 6, 8):
        add(m, f"orientation-{o}-big-endian", after_start(plain, app1(exif(o, ">"))))
        add(m, f"orientation-{o}-long", after_start(plain, app1(exif(o, "<", 4))))
        for element in (False, True):
            data = after_start(plain, with_xmp(xmp(o, element)))
            assert np.array_equal(pillow(data), turned(upright, o)), o
            add(m, f"orientation-{o}-xmp" + ("-element" if element else ""), data)
    add(m, "orientation-exif-before-xmp", after_start(plain, app1(exif(3)) + with_xmp(xmp(6))))
    add(m, "orientation-xmp-before-exif", after_start(plain, with_xmp(xmp(6)) + app1(exif(3))))
    add(m, "orientation-0", after_start(plain, app1(exif(0))))
    add(m, "orientation-9", after_start(plain, app1(exif(9))))
    add(m, "orientation-cut", after_start(plain, app1(exif(6)[:17])), pixels=upright)
    add(m, "orientation-after-jfif", plain[:20] + app1(exif(6)) + plain[20:])
    add(m, "orientation-grey", after_start(jpeg(IMAGE.convert("L")), app1(exif(6))))
    add(m, "orientation-cmyk", after_start(jpeg(IMAGE.convert("CMYK")), app1(exif(6))), CMYK)


def refused(m):
    for name, options in {"baseline": {}, "progressive": dict(progressive=True)}.items():
        data = jpeg(**options)
        scan = segments(data)[1]
        for at in {2, 10, 30, 300, scan - 1, scan, scan + 1, scan + (len(data) - scan) // 2, len(data) - 40}:
            m.refuse(f"cut-{name}-{at}", data[:at], "(?i)jpeg|cut|end|damaged|header|image")
    data = jpeg(IMAGE.convert("CMYK"))
    scan = segments(data)[1]
    for at in (scan, scan + 9, len(data) - 40):
        m.refuse(f"cut-cmyk-{at}", data[:at], "(?i)jpeg|cut|end|damaged|header|image")
    data = jpeg()
    frame = [f for f in segments(data)[0] if f[0] == 0xc0][0][1]
    for name, marker in {"lossless": 0xc3, "differential": 0xc5, "arithmetic": 0xc9, "lossless-arithmetic": 0xcb}.items():
        m.refuse("coding-" + name, data[:frame + 1] + bytes([marker]) + data[frame + 2:], "(?i)jpeg|support|SOF")
    m.refuse("bits-12", data[:frame + 4] + b"\x0c" + data[frame + 5:], "(?i)12|precision|bits")
    m.refuse("size-0", data[:frame + 5] + b"\0\0\0\0" + data[frame + 9:], "(?i)empty|size|height|width|damaged|0x0")
    m.refuse("size-huge", data[:frame + 5] + b"\xea\x60\xea\x60" + data[frame + 9:], "too large")
    m.refuse("no-tables", without(data, 0xdb), "(?i)table|damaged")


def make():
    m = Matrix("jpg")
    kinds(m)
    markers(m)
    profiles(m)
    orientations(m)
    refused(m)
    m.write("jpeg.zip")
