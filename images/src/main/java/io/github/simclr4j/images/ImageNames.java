package io.github.simclr4j.images;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Tells image files by their names, and by their first bytes where the name does not say. */
public final class ImageNames {
    /** As many of a file's first bytes are enough for {@link #startsAsImage}. */
    public static final int FIRST_BYTES = 512;

    /** Formats that viewers show, cameras write or graphics programs save, and that are not read here. */
    private static final Set<String> UNREAD = Set.of(
            "heic", "heif", "heics", "heifs", "hif", "avif", "avifs", "avci", "jxl", "jp2", "j2k", "j2c", "jpc", "jpf", "jpx",
            "jpm", "jph", "jhc", "jls", "jxr", "wdp", "hdp", "mpo", "ppm", "pgm", "pnm", "pbm", "pam", "pfm", "tga", "icb", "vda",
            "psd", "psb", "xcf", "kra", "svg", "svgz", "eps", "wmf", "emf", "exr", "hdr", "dpx", "cin", "ico", "cur", "icns",
            "pcx", "dcx", "dds", "qoi", "flif", "bpg", "mng", "jng", "xbm", "xpm", "ras", "sgi", "lbm", "iff", "fits", "dcm",
            "dicom", "svs", "ndpi", "scn", "mrxs", "bif", "btf", "tf8",
            "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "orf", "rw2", "raf", "pef", "srw", "3fr", "fff",
            "iiq", "kdc", "dcr", "mrw", "x3f", "erf", "mef", "mos", "rwl", "gpr", "raw");
    private static final Set<Integer> BMP_HEADERS = Set.of(12, 16, 40, 52, 56, 64, 108, 124);

    private ImageNames() {}

    /** Whether a file's name ends as that of an image that some {@link ImageDecoder} reads. */
    public static boolean isImageName(String name) {
        return Decoders.endings().contains("." + ending(name));
    }

    /** Whether a file, or a folder above it in this path, is hidden or a Mac's book-keeping. */
    public static boolean isHidden(String path) {
        for (String part : path.split("[/\\\\]")) {
            if (part.startsWith(".") && !part.equals(".") && !part.equals("..") || part.equals("__MACOSX")) {
                return true;
            }
        }
        return false;
    }

    /** Returns the ending of an image in a format that is not read, in upper case, such as {@code HEIC}. */
    public static Optional<String> unreadKind(String name) {
        String ending = ending(name);
        return UNREAD.contains(ending) ? Optional.of(ending.toUpperCase(Locale.ROOT)) : Optional.empty();
    }

    /** Whether a file's name has no ending and is not hidden, so that only its content says whether it is an image. */
    public static boolean isWithoutEnding(String name) {
        return ending(name).isEmpty() && !isHidden(name);
    }

    private static String ending(String name) {
        int dot = name.lastIndexOf('.');
        return dot <= Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\'))
                ? ""
                : name.substring(dot + 1).toLowerCase(Locale.ROOT);
    }

    /** Whether bytes are the first of an image, in a format that is read or in another. */
    public static boolean startsAsImage(byte[] first) {
        if (first.length >= 2 && first[0] == 'B' && first[1] == 'M') {
            // Texts may begin with these letters.
            return first.length >= 18 && BMP_HEADERS.contains(littleEndian(first, 14));
        }
        return Decoders.accept(first) || OtherFiles.isImage(first);
    }

    private static int littleEndian(byte[] bytes, int at) {
        return bytes[at] & 255 | (bytes[at + 1] & 255) << 8 | (bytes[at + 2] & 255) << 16 | bytes[at + 3] << 24;
    }
}
