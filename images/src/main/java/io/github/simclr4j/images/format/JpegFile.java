// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.ImageDecoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The parts of a JPEG file that determine its pixels (<a href="https://www.w3.org/Graphics/JPEG/itu-t81.pdf">ITU-T T.81</a>, annex B):
 * tables, the frame header and the scans. Colour profiles, comments and metadata are dropped, so that they can't change the pixels or make
 * the decoder reject the file.
 */
final class JpegFile {
    /** The meaning of the components. */
    enum Colours {
        GREY,
        YCBCR,
        RGB,
        CMYK,
        YCCK
    }

    /** The treatment of the ends of the entropy-coded data. */
    enum Ending {
        /** The data are unchanged. */
        AS_STORED,
        /** The last byte of the last scan is dropped. */
        WITHOUT_LAST_BYTE,
        /** The last byte of the last scan is 1. */
        WITH_LAST_BIT_SET,
        /** All zero bytes at the end of each scan are dropped. */
        WITHOUT_ZEROS
    }

    private static final byte[] JFIF = {
        (byte) 0xff, (byte) 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0
    };
    /** Adobe's marker with transform 0: the components are stored untransformed. */
    private static final byte[] ADOBE = {(byte) 0xff, (byte) 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
    };
    /** Minimum length of an Adobe marker according to libjpeg. */
    private static final int ADOBE_LENGTH = 12;

    private static final int JFIF_LENGTH = 14;

    /** The marker for conditioning of arithmetic coding. */
    private static final int DAC = 0xcc;
    /** The marker for hierarchical progression. */
    private static final int DHP = 0xde;

    private static final int PROGRESSIVE = 0xc2;
    private static final int JPEG_LS = 0xf7;

    private final byte[] file;
    /** The parts to keep, in the order of the file. */
    private final List<Part> parts = new ArrayList<>();

    private boolean jfif;
    private int transform = -1;
    private int frame;
    private int width;
    private int height;
    private int[] ids = {};
    private JpegScans scans;
    private boolean ended;

    /** A range of an array. */
    private record Part(byte[] bytes, int from, int to, boolean entropyCoded) {
        int length() {
            return to - from;
        }

        /** Returns whether the last byte is 0 and not part of a stuffed {@code ff 00}. */
        boolean endsInZero() {
            return to > from && bytes[to - 1] == 0 && (to - from < 2 || bytes[to - 2] != (byte) 0xff);
        }

        Part withoutLast() {
            return new Part(bytes, from, to - 1, entropyCoded);
        }

        Part withoutZeros() {
            int end = to;
            while (new Part(bytes, from, end, entropyCoded).endsInZero()) {
                end--;
            }
            return new Part(bytes, from, end, entropyCoded);
        }
    }

    /**
     * Reads the structure of a file.
     *
     * @throws IOException if the file is damaged, truncated or of a kind that is not supported
     */
    JpegFile(byte[] file) throws IOException {
        this.file = file;
        JpegSegments segments = new JpegSegments(file);
        while (!ended && segments.next()) {
            segment(segments);
        }
        if (parts.stream().noneMatch(Part::entropyCoded)) {
            throw new IOException("damaged image: the file ends before the image data");
        }
        // Many files lack only the end marker.
        if (!scans.complete()) {
            throw new IOException("damaged image: the file is cut short and lacks a part of the picture");
        }
    }

    private void segment(JpegSegments s) throws IOException {
        int marker = s.marker();
        switch (marker) {
            case JpegSegments.EOI -> ended = true;
            case JpegSegments.SOI -> throw new IOException("damaged image: another image begins within it");
            case JpegSegments.SOS -> scan(s);
            // Huffman tables, quantization tables, restart interval.
            case 0xc4, 0xdb, 0xdd -> keep(s);
            case DAC -> {}
            case 0xe0 -> jfif |= s.length() >= JFIF_LENGTH && s.startsWith('J', 'F', 'I', 'F', 0);
            case 0xee -> {
                if (s.length() >= ADOBE_LENGTH && s.startsWith('A', 'd', 'o', 'b', 'e')) {
                    transform = s.get(ADOBE_LENGTH - 1);
                }
            }
            case DHP -> throw refused("hierarchical JPEG");
            case JPEG_LS -> throw refused("JPEG-LS");
            default -> {
                if (marker >= 0xc0 && marker <= 0xcf) {
                    frame(s);
                } else if (marker < 0xc0 || marker >= 0xf0 && marker <= 0xfd) {
                    throw new IOException("damaged image: unknown marker " + Integer.toHexString(marker));
                }
            }
        }
    }

    private void frame(JpegSegments s) throws IOException {
        if (frame != 0) {
            throw new IOException("damaged image: another frame begins within it");
        }
        frame = s.marker();
        switch (frame) {
            case 0xc0, 0xc1, 0xc2 -> {}
            // Many decoders do not support it, and missing data could not be detected.
            case 0xc9, 0xca -> throw refused("JPEG with arithmetic coding");
            case 0xc3, 0xcb -> throw refused("lossless JPEG");
            case 0xc8 -> throw new IOException("damaged image: unknown marker c8");
            default -> throw refused("hierarchical JPEG");
        }
        int components = s.get(5);
        if (components < 0 || s.length() != 6 + 3 * components) {
            throw new IOException("damaged image: the frame's header has a wrong length");
        }
        if (s.get(0) != 8) {
            throw refused("JPEG of " + s.get(0) + " bits per sample");
        }
        if (components != 1 && components != 3 && components != 4) {
            throw refused("JPEG of " + components + " components, which are neither grey nor RGB nor CMYK,");
        }
        height = s.get(1) * 256 + s.get(2);
        width = s.get(3) * 256 + s.get(4);
        if (height == 0) {
            throw refused("JPEG whose height is not in its header");
        }
        if (width == 0) {
            throw new IOException("damaged image: the width is 0");
        }
        if ((long) width * height > ImageDecoder.MAX_PIXELS) {
            throw new IOException(
                    "image too large: " + (long) width * height + " pixels, at most " + ImageDecoder.MAX_PIXELS);
        }
        ids = new int[components];
        int[][] sampling = new int[components][];
        for (int i = 0; i < components; i++) {
            ids[i] = s.get(6 + 3 * i);
            sampling[i] = new int[] {s.get(7 + 3 * i) >> 4, s.get(7 + 3 * i) & 15};
        }
        scans = new JpegScans(sampling, progressive(), (long) width * height);
        keep(s);
    }

    private void scan(JpegSegments s) throws IOException {
        int count = s.get(0);
        if (scans == null || count < 1 || s.length() != 4 + 2 * count) {
            throw new IOException("damaged image: a scan's header is wrong");
        }
        int position = s.get(3 + 2 * count);
        scans.next();
        boolean[] seen = new boolean[ids.length];
        long bits = 0;
        for (int i = 0; i < count; i++) {
            int component = component(s.get(1 + 2 * i), seen);
            scans.add(component, s.get(1 + 2 * count), s.get(2 + 2 * count), position >> 4, position & 15);
            bits += scans.fewestBits(component, s.get(1 + 2 * count));
        }
        if (progressive()) {
            keep(s);
        } else {
            // Some encoders write nonsense here, for which the decoder would use its only warning.
            byte[] header = Arrays.copyOfRange(file, s.start() - 4, s.end());
            header[header.length - 3] = 0;
            header[header.length - 2] = 63;
            header[header.length - 1] = 0;
            parts.add(new Part(header, 0, header.length, false));
        }
        int from = s.end();
        int to = s.skipData();
        if (to == from || 8L * (to - from) < bits) {
            throw new IOException("damaged image: the file is cut short and lacks a part of the picture");
        }
        parts.add(new Part(file, from, to, true));
    }

    private int component(int id, boolean[] seen) throws IOException {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == id && !seen[i]) {
                seen[i] = true;
                return i;
            }
        }
        throw new IOException("damaged image: a scan of a component that does not exist");
    }

    private void keep(JpegSegments s) {
        parts.add(new Part(file, s.start() - 4, s.end(), false));
    }

    private static IOException refused(String kind) {
        return new IOException(kind + " is not supported: convert it to PNG, or to baseline JPEG");
    }

    private boolean progressive() {
        return frame == PROGRESSIVE;
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    /** Returns the meaning of the components by the rules of libjpeg ({@code default_decompress_parms}). */
    Colours colours() {
        if (ids.length == 1) {
            return Colours.GREY;
        }
        if (ids.length == 4) {
            return transform > 0 ? Colours.YCCK : Colours.CMYK;
        }
        if (jfif) {
            return Colours.YCBCR;
        }
        boolean named = ids[0] == 'R' && ids[1] == 'G' && ids[2] == 'B';
        return transform == 0 || transform < 0 && named ? Colours.RGB : Colours.YCBCR;
    }

    /** Returns the number of scans. */
    int scans() {
        return (int) parts.stream().filter(Part::entropyCoded).count();
    }

    /** Returns the number of zero bytes at the end of the last scan's data. */
    int zeros() {
        Part last = parts.get(parts.size() - 1);
        return last.entropyCoded ? last.length() - last.withoutZeros().length() : 0;
    }

    /**
     * Returns a file with only these parts, and one marker that tells the decoder the meaning of the components. Four components
     * must be read without conversion.
     */
    byte[] essentials(Ending ending) {
        List<Part> kept = new ArrayList<>(parts);
        switch (ending) {
            case AS_STORED -> {}
            case WITHOUT_LAST_BYTE -> kept.add(kept.remove(kept.size() - 1).withoutLast());
            case WITH_LAST_BIT_SET -> {
                kept.add(kept.remove(kept.size() - 1).withoutLast());
                kept.add(new Part(new byte[] {1}, 0, 1, true));
            }
            case WITHOUT_ZEROS -> kept.replaceAll(part -> part.entropyCoded ? part.withoutZeros() : part);
        }
        return essentials(kept);
    }

    /**
     * Returns a file with only these parts and shorter data.
     *
     * @param cut number of bytes to drop at the end of each scan's data
     */
    byte[] essentials(int[] cut) {
        List<Part> kept = new ArrayList<>();
        int scan = 0;
        for (Part part : parts) {
            kept.add(
                    part.entropyCoded
                            ? new Part(part.bytes, part.from, Math.max(part.from, part.to - cut[scan++]), true)
                            : part);
        }
        return essentials(kept);
    }

    private byte[] essentials(List<Part> kept) {
        byte[] colours = colours() == Colours.YCBCR || colours() == Colours.GREY ? JFIF : ADOBE;
        byte[] out = new byte[kept.stream().mapToInt(Part::length).sum() + colours.length + 4];
        out[0] = (byte) 0xff;
        out[1] = (byte) JpegSegments.SOI;
        System.arraycopy(colours, 0, out, 2, colours.length);
        int at = 2 + colours.length;
        for (Part part : kept) {
            System.arraycopy(part.bytes, part.from, out, at, part.length());
            at += part.length();
        }
        out[at] = (byte) 0xff;
        out[at + 1] = (byte) JpegSegments.EOI;
        return out;
    }
}
