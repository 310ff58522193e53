"""The WebP files of the image matrix: written by Pillow (libwebp), then changed chunk by chunk; pixels as Pillow reads them."""
import io
import struct

import numpy as np
from PIL import Image

from matrix import ALPHA, HEIGHT, RGB, WIDTH, Matrix, exif, large, over, pillow, profile, turned, xmp

"""Largest and mean difference allowed of a lossy file, that of JPEG; lossless files have none."""
LOSSY = (4, 1)
IMAGE = Image.fromarray(RGB)
CLEAR = Image.fromarray(np.dstack([RGB, ALPHA]))
PALETTE = Image.fromarray((RGB // 86 * 86).astype(np.uint8))


def webp(image=IMAGE, **options):
    out = io.BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def chunks(data):
    at, found = 12, []
    while at + 8 <= len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        found.append((data[at:at + 4], data[at + 8:at + 8 + length]))
        at += 8 + length + length % 2
    return found


def riff(parts):
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for k, d in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(data, before=(), after=(), flags=0, size=(WIDTH, HEIGHT)):
    """Puts a simple file into the extended format, with chunks before and after its pixels."""
    header = struct.pack("<I", flags) + struct.pack("<I", size[0] - 1)[:3] + struct.pack("<I", size[1] - 1)[:3]
    return riff([(b"VP8X", header), *before, *[c for c in chunks(data) if c[0] != b"VP8X"], *after])


def add(m, name, data, tolerance=None, pixels=None):
    m.add(name, data, pillow(data) if pixels is None else pixels, tolerance)


def kinds(m):
    for quality in (0, 30, 75, 90, 100):
        for method in (0, 3, 6):
            add(m, f"lossy-{quality}-method-{method}", webp(quality=quality, method=method), LOSSY)
    for quality in (30, 90):
        for alpha_quality in (30, 100):
            add(m, f"lossy-alpha-{quality}-{alpha_quality}", webp(CLEAR, quality=quality, alpha_quality=alpha_quality), LOSSY)
    for method in range(7):
        data = webp(lossless=True, method=method)
        assert np.array_equal(pillow(data), RGB)
        add(m, f"lossless-method-{method}", data)
    for name, image in {"grey": IMAGE.convert("L"), "palette": PALETTE, "two-colours": IMAGE.convert("1").convert("RGB"),
                        "flat": Image.new("RGB", (WIDTH, HEIGHT), (1, 200, 90)),
                        "noise": Image.fromarray(np.random.RandomState(2).randint(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8))}.items():
        for method in (0, 6):
            data = webp(image, lossless=True, method=method)
            add(m, f"lossless-{name}-method-{method}", data, pixels=np.asarray(image.convert("RGB")))
        add(m, f"lossy-{name}", webp(image, quality=80), LOSSY)
    for exact in (False, True):
        add(m, "lossless-alpha" + ("-exact" if exact else ""), webp(CLEAR, lossless=True, exact=exact),
            pixels=over(RGB, ALPHA[..., None]))
    few = CLEAR.copy()
    few.putalpha(Image.fromarray((ALPHA > 100).astype(np.uint8) * 255))
    add(m, "lossless-alpha-two-values", webp(few, lossless=True))
    add(m, "lossy-alpha-two-values", webp(few, quality=80), LOSSY)
    for method in (0, 4, 6):
        add(m, f"large-lossy-method-{method}", webp(Image.fromarray(large()), quality=75, method=method), LOSSY)
    add(m, "large-lossless", webp(Image.fromarray(large()), lossless=True), pixels=large())
    clear = Image.fromarray(large())
    clear.putalpha(Image.fromarray(large()[..., 0]))
    add(m, "large-lossy-alpha", webp(clear, quality=75), LOSSY)
    for w, h in ((1, 1), (1, 9), (9, 1), (16, 16), (17, 13)):
        add(m, f"size-{w}x{h}-lossy", webp(Image.fromarray(RGB[:h, :w])), LOSSY)
        add(m, f"size-{w}x{h}-lossless", webp(Image.fromarray(RGB[:h, :w]), lossless=True), pixels=RGB[:h, :w])


def extras(m):
    lossless, lossy = webp(lossless=True), webp(quality=80)
    icc = profile()
    for kind, data, tolerance in (("lossless", lossless, None), ("lossy", lossy, LOSSY)):
        want = pillow(data)
        add(m, f"extended-{kind}", extended(data), tolerance, want)
        for name, content in {"whole": icc, "empty": b"", "cut": icc[:150], "garbage": b"\xff" * 301,
                              "cmyk-model": icc[:16] + b"CMYK" + icc[20:], "grey-model": icc[:16] + b"GRAY" + icc[20:]}.items():
            add(m, f"profile-{name}-{kind}", extended(data, [(b"ICCP", content)], flags=0x20), tolerance, want)
        add(m, f"unknown-chunks-{kind}", extended(data, [(b"what", b"ever")], [(b"more", b"odd")]), tolerance, want)
        add(m, f"trailing-bytes-{kind}", data + b"more" * 9, tolerance, want)
        add(m, f"alpha-flag-without-alpha-{kind}", extended(data, flags=0x10), tolerance, want)
    want = pillow(lossless)
    for o in range(1, 9):
        data = extended(lossless, after=[(b"EXIF", exif(o))], flags=8)
        assert np.array_equal(pillow(data), turned(want, o)), o
        add(m, f"orientation-{o}", data)
        add(m, f"orientation-{o}-lossy", extended(lossy, after=[(b"EXIF", b"Exif\0\0" + exif(o, ">"))], flags=8), LOSSY,
            turned(pillow(lossy), o))
    add(m, "orientation-long", extended(lossless, after=[(b"EXIF", exif(6, "<", 4))], flags=8), pixels=turned(want, 6))
    add(m, "orientation-long-big-endian", extended(lossless, after=[(b"EXIF", exif(6, ">", 4))], flags=8), pixels=turned(want, 6))
    for element in (False, True):
        data = extended(lossless, after=[(b"XMP ", xmp(6, element))], flags=4)
        assert np.array_equal(pillow(data), turned(want, 6))
        add(m, "orientation-xmp" + ("-element" if element else ""), data)
    add(m, "orientation-exif-before-xmp", extended(lossless, after=[(b"EXIF", exif(3)), (b"XMP ", xmp(6))], flags=12),
        pixels=turned(want, 3))
    add(m, "orientation-cut", extended(lossless, after=[(b"EXIF", exif(6)[:17])], flags=8), pixels=want)


def animations(m):
    for kind, options, tolerance in (("lossless", dict(lossless=True), None), ("lossy", dict(quality=80), LOSSY)):
        out = io.BytesIO()
        IMAGE.save(out, "WEBP", save_all=True, append_images=[Image.fromarray(255 - RGB)], duration=50, minimize_size=False, **options)
        add(m, f"animation-{kind}", out.getvalue(), tolerance)
        out = io.BytesIO()
        CLEAR.save(out, "WEBP", save_all=True, append_images=[IMAGE.convert("RGBA")], duration=50, **options)
        add(m, f"animation-alpha-{kind}", out.getvalue(), tolerance)
    inner = riff([])[12:] + b"".join(k + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for k, d in chunks(webp(lossless=True)))

    def u24(v):
        return struct.pack("<I", v)[:3]
    frame = u24(4 // 2) + u24(6 // 2) + u24(WIDTH - 1) + u24(HEIGHT - 1) + u24(50) + b"\2" + inner
    for name, background in {"black": b"\0\0\0\0", "coloured": b"\x50\x60\x70\xff"}.items():
        data = riff([(b"VP8X", struct.pack("<I", 2) + u24(WIDTH + 9) + u24(HEIGHT + 9)), (b"ANIM", background + b"\0\0"), (b"ANMF", frame)])
        # Whatever background a file asks for, viewers and Pillow show nothing around a frame.
        want = np.zeros((HEIGHT + 10, WIDTH + 10, 3), np.uint8)
        want[6:6 + HEIGHT, 4:4 + WIDTH] = RGB
        assert np.array_equal(pillow(data), want), name
        add(m, f"animation-placed-{name}-background", data, pixels=want)


def refused(m):
    for kind, data in (("lossless", webp(lossless=True)), ("lossy", webp(quality=80)), ("alpha", webp(CLEAR, quality=80))):
        for part in (0.1, 0.3, 0.5, 0.7, 0.9):
            at = max(13, int(len(data) * part))
            m.refuse(f"cut-{kind}-{int(part * 100)}", data[:at], "(?i)webp|cut|end|damaged|image")
        m.refuse(f"cut-{kind}-header", data[:20], "(?i)webp|cut|end|damaged|image")
    data = webp(lossless=True)
    m.refuse("signature-lossless", data[:20] + b"\0" + data[21:], "(?i)webp|damaged")
    data = webp(quality=80)
    m.refuse("signature-lossy", data[:23] + b"\0\0\0" + data[26:], "(?i)webp|damaged")
    m.refuse("no-pixels", riff([(b"VP8X", b"\0" * 10)]), "(?i)webp|damaged|pixels")
    m.refuse("empty", riff([]), "(?i)webp|damaged|pixels")


def make():
    m = Matrix("webp")
    kinds(m)
    extras(m)
    animations(m)
    refused(m)
    m.write("webp.zip")
