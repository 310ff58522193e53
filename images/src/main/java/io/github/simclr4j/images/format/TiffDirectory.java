// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/**
 * The first directory of a TIFF file (TIFF 6.0, section 2). Values are read in place, so that a claimed number of values does not allocate
 * memory.
 */
final class TiffDirectory {
    private static final int BYTE = 1;
    private static final int SHORT = 3;
    private static final int LONG = 4;
    private static final int RATIONAL = 5;
    private static final int UNDEFINED = 7;
    private static final int FLOAT = 11;
    private static final int DOUBLE = 12;
    private static final int IFD = 13;

    /** A field: the type, number and position of its values. */
    private record Field(int type, long count, int at) {}

    private final ByteBuffer file;
    private final Map<Integer, Field> fields = new HashMap<>();

    /**
     * Reads the directory.
     *
     * @throws IOException if the directory or one of its values is beyond the end of the file
     */
    TiffDirectory(byte[] bytes) throws IOException {
        file = ByteBuffer.wrap(bytes).order(bytes[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        long start = bytes.length < 8 ? Long.MAX_VALUE : file.getInt(4) & 0xffffffffL;
        if (start > bytes.length - 2 || start + 2 + 12L * entries((int) start) > bytes.length) {
            throw new IOException("damaged image: the TIFF directory lies beyond the end of the file");
        }
        for (int i = 0; i < entries((int) start); i++) {
            add((int) start + 2 + 12 * i);
        }
    }

    private int entries(int start) {
        return file.getShort(start) & 0xffff;
    }

    private void add(int entry) throws IOException {
        int tag = file.getShort(entry) & 0xffff;
        int type = file.getShort(entry + 2) & 0xffff;
        long count = file.getInt(entry + 4) & 0xffffffffL;
        long bytes = count * size(type);
        long at = bytes <= 4 ? entry + 8 : file.getInt(entry + 8) & 0xffffffffL;
        if (at + bytes > file.limit()) {
            if (TiffTag.USED.contains(tag)) {
                throw new IOException(
                        "damaged image: the value of TIFF tag " + tag + " lies beyond the end of the file");
            }
        } else if (size(type) > 0) {
            fields.putIfAbsent(tag, new Field(type, count, (int) at));
        }
    }

    private static int size(int type) {
        return switch (type) {
            case BYTE, 2, 6, UNDEFINED -> 1;
            case SHORT, 8 -> 2;
            case LONG, 9, FLOAT, IFD -> 4;
            case RATIONAL, 10, DOUBLE -> 8;
            default -> 0;
        };
    }

    ByteOrder order() {
        return file.order();
    }

    /** Returns the number of values of a tag, or 0 if it is missing. */
    long count(int tag) {
        Field field = fields.get(tag);
        return field == null ? 0 : field.count;
    }

    /**
     * Returns an unsigned integer value of a tag.
     *
     * @param index index of the value, from 0
     * @throws IOException if there are too few values, or if they are of another type
     */
    long integer(int tag, long index) throws IOException {
        Field field = fields.get(tag);
        if (field == null || index >= field.count) {
            throw new IOException("damaged image: TIFF tag " + tag + " has " + count(tag)
                    + " values, expected at least " + (index + 1));
        }
        // Safe, since the field is within the file.
        int at = field.at + (int) (index * size(field.type));
        return switch (field.type) {
            case BYTE, UNDEFINED -> file.get(at) & 255;
            case SHORT -> file.getShort(at) & 0xffff;
            case LONG, IFD -> file.getInt(at) & 0xffffffffL;
            default ->
                throw new IOException("damaged image: the value of TIFF tag " + tag + " is not an unsigned integer");
        };
    }

    /** Returns the first value of a tag, limited to the largest {@code int}, or a default if the tag is missing. */
    int integerOr(int tag, int missing) throws IOException {
        return count(tag) == 0 ? missing : (int) Math.min(Integer.MAX_VALUE, integer(tag, 0));
    }

    /** Returns a real value of a tag, or a default if the tag does not have it. */
    double realOr(int tag, int index, double missing) throws IOException {
        Field field = fields.get(tag);
        if (field == null || index >= field.count) {
            return missing;
        }
        int at = field.at + index * size(field.type);
        return switch (field.type) {
            case RATIONAL -> (file.getInt(at) & 0xffffffffL) / (double) (file.getInt(at + 4) & 0xffffffffL);
            case FLOAT -> file.getFloat(at);
            case DOUBLE -> file.getDouble(at);
            default -> integer(tag, index);
        };
    }

    /** Returns the bytes of a tag's values, or none if it is missing. */
    byte[] bytes(int tag) {
        Field field = fields.get(tag);
        byte[] bytes = new byte[field == null ? 0 : (int) field.count * size(field.type)];
        if (field != null) {
            file.get(field.at, bytes);
        }
        return bytes;
    }
}
