// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Recognises image files by their names, or by their first bytes if the name has no extension.
 *
 * @since 0.1.0
 */
public final class ImageNames {
    /** The number of first bytes that {@link #startsAsImage} needs. */
    public static final int FIRST_BYTES = 512;

    /** Extensions of common image formats that are not supported. */
    private static final Set<String> UNREAD = Set.of(
            "heic", "heif", "heics", "heifs", "hif", "avif", "avifs", "avci", "jxl", "jp2", "j2k", "j2c", "jpc", "jpf",
            "jpx", "jpm", "jph", "jhc", "jls", "jxr", "wdp", "hdp", "mpo", "ppm", "pgm", "pnm", "pbm", "pam", "pfm",
            "tga", "icb", "vda", "psd", "psb", "xcf", "kra", "svg", "svgz", "eps", "wmf", "emf", "exr", "hdr", "dpx",
            "cin", "ico", "cur", "icns", "pcx", "dcx", "dds", "qoi", "flif", "bpg", "mng", "jng", "xbm", "xpm", "ras",
            "sgi", "lbm", "iff", "fits", "dcm", "dicom", "svs", "ndpi", "scn", "mrxs", "bif", "btf", "tf8", "dng",
            "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "orf", "rw2", "raf", "pef", "srw", "3fr", "fff",
            "iiq", "kdc", "dcr", "mrw", "x3f", "erf", "mef", "mos", "rwl", "gpr", "raw");

    private static final Set<Integer> BMP_HEADERS = Set.of(12, 16, 40, 52, 56, 64, 108, 124);

    private ImageNames() {}

    /**
     * Returns the extensions of the supported formats, sorted, in lower case, such as {@code jpg}. {@link #isImageName} ignores case.
     */
    public static List<String> endings() {
        return Decoders.endings().stream()
                .map(ending -> ending.substring(1))
                .sorted()
                .toList();
    }

    /**
     * Returns whether a file's name has the extension of a format that an {@link ImageDecoder} supports.
     *
     * @param name the name or path of the file
     */
    public static boolean isImageName(String name) {
        return Decoders.endings().contains("." + ending(name));
    }

    /**
     * Returns whether a file, or a folder in its path, is hidden or one of macOS's own.
     *
     * @param path a relative path with slashes
     */
    public static boolean isHidden(String path) {
        for (String part : path.split("[/\\\\]")) {
            if (part.startsWith(".") && !part.equals(".") && !part.equals("..") || part.equals("__MACOSX")) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns the extension of an image in a format that is not supported.
     *
     * @param name the name or path of the file
     * @return the extension in upper case, such as {@code HEIC}; empty for all other files
     */
    public static Optional<String> unreadKind(String name) {
        String ending = ending(name);
        return UNREAD.contains(ending) ? Optional.of(ending.toUpperCase(Locale.ROOT)) : Optional.empty();
    }

    /**
     * Returns whether a file's name has no extension and is not hidden, so that only its content shows whether it is an image.
     *
     * @param name the name or path of the file
     */
    public static boolean isWithoutEnding(String name) {
        return ending(name).isEmpty() && !isHidden(name);
    }

    private static String ending(String name) {
        int dot = name.lastIndexOf('.');
        return dot <= Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\'))
                ? ""
                : name.substring(dot + 1).toLowerCase(Locale.ROOT);
    }

    /**
     * Returns whether a file begins like an image, in a supported format or another.
     *
     * @param first the first bytes of the file, at least {@link #FIRST_BYTES} if it is that long
     */
    public static boolean startsAsImage(byte[] first) {
        if (first.length >= 2 && first[0] == 'B' && first[1] == 'M') {
            // Texts may also begin with these letters, so the header is checked, too.
            return first.length >= 18 && BMP_HEADERS.contains(littleEndian(first, 14));
        }
        return Decoders.accept(first) || OtherFiles.isImage(first);
    }

    private static int littleEndian(byte[] bytes, int at) {
        return bytes[at] & 255 | (bytes[at + 1] & 255) << 8 | (bytes[at + 2] & 255) << 16 | bytes[at + 3] << 24;
    }
}
