// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Describes files that no decoder accepts, with a remedy. */
final class OtherFiles {
    private static final String CONVERT = ", which is not supported: convert it to JPEG or PNG";

    private static final String VIDEO = "a video (or another file of its container format)";
    private static final String DOCUMENT = "a PDF document";

    private OtherFiles() {}

    /** Returns whether a file is an image in a format that is not supported, by its first bytes. */
    static boolean isImage(byte[] b) {
        String kind = kind(head(b));
        return kind != null && !kind.equals(VIDEO) && !kind.equals(DOCUMENT);
    }

    private static String head(byte[] b) {
        return new String(b, 0, Math.min(b.length, 1024), StandardCharsets.ISO_8859_1);
    }

    /** Describes a file by its first bytes. */
    static String describe(byte[] b) {
        if (b.length == 0) {
            return "the file is empty";
        }
        String head = head(b);
        String text = head.strip().toLowerCase(Locale.ROOT);
        String kind = kind(head);
        if (kind != null) {
            return kind + CONVERT;
        } else if (head.startsWith("version https://git-lfs")) {
            return "a Git LFS pointer and not the image itself: run \"git lfs pull\" in the clone";
        } else if (text.startsWith("<!doctype html") || text.startsWith("<html")) {
            return "an HTML page and not an image: the download has failed; get the file again";
        } else if (head.startsWith("PNG", 1)) {
            return "damaged PNG image: its first bytes were changed, as a transfer in text mode does; get the file again";
        } else if (head.chars().allMatch(c -> c == 0)) {
            return "the file contains only zeros: a copy or download has failed; get it again";
        }
        return "not an image (expected JPEG, PNG, WebP, BMP, GIF or TIFF)";
    }

    private static String kind(String head) {
        String text = head.strip().toLowerCase(Locale.ROOT);
        if (head.startsWith("ftyp", 4)) {
            return ofBrand(head);
        } else if (head.startsWith("\0\0\0\fjP  ") || head.startsWith("\u00ff\u004f\u00ff\u0051")) {
            return "a JPEG 2000 image";
        } else if (head.startsWith("\0\0\0\fJXL ") || head.startsWith("\u00ff\n")) {
            return "a JPEG XL image";
        } else if (head.startsWith("II\u002b\0") || head.startsWith("MM\0\u002b")) {
            return "a BigTIFF image";
        } else if (head.startsWith("BA") && head.startsWith("BM", 14)) {
            return "an array of OS/2 bitmaps";
        } else if (head.startsWith("8BPS")) {
            return "a Photoshop document";
        } else if (head.matches("(?s)\0\0[\1\2]\0[^\0]\0.{3}\0.*")) {
            return "a Windows icon or cursor";
        } else if (head.startsWith("v/1\1")) {
            return "an OpenEXR image";
        } else if (head.startsWith("II\u00bc")) {
            return "a JPEG XR image";
        } else if (head.startsWith("DDS ")) {
            return "a DirectDraw texture";
        } else if (head.startsWith("qoif")) {
            return "a QOI image";
        } else if (head.startsWith("#?RADIANCE")) {
            return "a Radiance image";
        } else if (head.startsWith("SIMPLE  =")) {
            return "a FITS image";
        } else if (head.startsWith("%PDF-")) {
            return DOCUMENT;
        } else if (head.matches("(?s)P[1-7fF][\\s#].*")) {
            return "a Netpbm image (PBM, PGM, PPM, PAM or PFM)";
        } else if (text.startsWith("<svg")
                || text.matches("(?s)<(\\?xml|!doctype svg|!--).*") && text.contains("<svg")) {
            return "an SVG drawing";
        }
        return null;
    }

    /** Describes the content of a file in the ISO base media file format (ISO/IEC 14496-12) by its brands. */
    private static String ofBrand(String head) {
        int size = Math.min(head.length(), head.charAt(3) | head.charAt(2) << 8);
        String brands = head.substring(8, Math.max(8, size));
        if (brands.contains("avif") || brands.contains("avis")) {
            return "an AVIF image";
        } else if (brands.startsWith("hei")
                || brands.startsWith("hev")
                || brands.contains("mif1")
                || brands.contains("msf1")) {
            return "a HEIC (HEIF) image";
        } else if (brands.startsWith("jp2") || brands.startsWith("jpx")) {
            return "a JPEG 2000 image";
        } else if (brands.startsWith("jxl")) {
            return "a JPEG XL image";
        } else if (brands.startsWith("crx")) {
            return "a Canon raw photograph";
        }
        return VIDEO;
    }
}
