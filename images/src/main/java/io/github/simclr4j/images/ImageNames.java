package io.github.simclr4j.images;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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
    private static final Set<String> BRANDS = Set.of("heic", "heix", "heim", "heis", "hevc", "mif1", "msf1", "avif", "avis",
            "jxl ", "jp2 ", "crx ");
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
        String text = new String(first, 0, Math.min(first.length, FIRST_BYTES), StandardCharsets.ISO_8859_1);
        boolean riff = text.startsWith("RIFF") && text.startsWith("WEBP", 8);
        boolean box = text.startsWith("ftyp", 4) && text.length() >= 12 && BRANDS.contains(text.substring(8, 12));
        boolean bitmap = text.startsWith("BM") && first.length >= 18 && BMP_HEADERS.contains(littleEndian(first, 14));
        boolean icon = starts(first, 0, 0, 1, 0) && first.length >= 10 && first[4] > 0 && first[5] == 0 && first[9] == 0;
        return riff || box || bitmap || icon || starts(first, 0xff, 0xd8, 0xff) || text.startsWith("\u0089PNG\r\n\u001a\n")
                || text.startsWith("GIF8") || text.startsWith("II*\0") || text.startsWith("MM\0*") || text.startsWith("8BPS")
                || text.startsWith("qoif") || text.startsWith("DDS ") || text.startsWith("#?RADIANCE")
                || text.startsWith("SIMPLE  =") || starts(first, 0x76, 0x2f, 0x31, 0x01) || starts(first, 0xff, 0x4f, 0xff, 0x51)
                || text.startsWith("\0\0\0\fjP  ") || text.startsWith("\0\0\0\fJXL ") || starts(first, 0xff, 0x0a)
                || text.matches("(?s)P[1-7]\\s.*") || text.matches("(?s)\\s*<(\\?xml|!|svg).*") && text.contains("<svg");
    }

    private static boolean starts(byte[] first, int... expected) {
        byte[] bytes = new byte[expected.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) expected[i];
        }
        return first.length >= bytes.length && Arrays.equals(bytes, 0, bytes.length, first, 0, bytes.length);
    }

    private static int littleEndian(byte[] bytes, int at) {
        return bytes[at] & 255 | (bytes[at + 1] & 255) << 8 | (bytes[at + 2] & 255) << 16 | bytes[at + 3] << 24;
    }
}
