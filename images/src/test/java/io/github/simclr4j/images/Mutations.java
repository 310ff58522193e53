// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;

/** Damages the bytes of image files as disks, networks and attackers do. */
final class Mutations {
    /** Values at which sizes and lengths go wrong. */
    private static final int[] EXTREMES = {
        0, 1, -1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 20000, 9999, 65500
    };

    private Mutations() {}

    /** Returns a changed copy. */
    static byte[] mutate(byte[] file, Random random) {
        byte[] b = file.clone();
        for (int times = 1 + random.nextInt(3); times > 0 && b.length > 8; times--) {
            b = switch (random.nextInt(7)) {
                case 0 -> flipBits(b, random);
                case 1 -> changeBytes(b, random);
                case 2 -> swap(b, random);
                case 3, 4 -> changeField(b, random);
                case 5 -> remove(b, random);
                default -> repeat(b, random);
            };
        }
        // Else hardly a change of a PNG file would come further than to its checksum.
        return b.length > 33 && b[1] == 'P' && random.nextInt(4) > 0 ? withChecksums(b) : b;
    }

    private static byte[] flipBits(byte[] b, Random random) {
        for (int n = 1 + random.nextInt(8); n > 0; n--) {
            b[random.nextInt(b.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return b;
    }

    private static byte[] changeBytes(byte[] b, Random random) {
        for (int n = 1 + random.nextInt(4); n > 0; n--) {
            b[random.nextInt(b.length)] = (byte) random.nextInt();
        }
        return b;
    }

    /** Exchanges two parts of the file. */
    private static byte[] swap(byte[] b, Random random) {
        int length = 1 + random.nextInt(Math.min(64, b.length / 2));
        int first = random.nextInt(b.length - 2 * length + 1);
        int second = first + length + random.nextInt(b.length - first - 2 * length + 1);
        byte[] part = Arrays.copyOfRange(b, first, first + length);
        System.arraycopy(b, second, b, first, length);
        System.arraycopy(part, 0, b, second, length);
        return b;
    }

    /** Puts an extreme value where a size or length may be, most often among the headers. */
    private static byte[] changeField(byte[] b, Random random) {
        int size = 1 << random.nextInt(3);
        int range = random.nextInt(4) > 0 ? Math.min(b.length, 80) : b.length;
        int at = random.nextInt(Math.max(1, range - size));
        int value = EXTREMES[random.nextInt(EXTREMES.length)];
        boolean bigEndian = random.nextBoolean();
        for (int i = 0; i < size; i++) {
            b[at + i] = (byte) (value >> 8 * (bigEndian ? size - 1 - i : i));
        }
        return b;
    }

    private static byte[] remove(byte[] b, Random random) {
        int length = 1 + random.nextInt(Math.min(40, b.length / 2));
        int at = random.nextInt(b.length - length);
        byte[] out = Arrays.copyOf(b, b.length - length);
        System.arraycopy(b, at + length, out, at, b.length - at - length);
        return out;
    }

    private static byte[] repeat(byte[] b, Random random) {
        int length = 1 + random.nextInt(Math.min(40, b.length / 2));
        int at = random.nextInt(b.length - length);
        byte[] out = Arrays.copyOf(b, b.length + length);
        System.arraycopy(b, at, out, at + length, b.length - at);
        return out;
    }

    private static byte[] withChecksums(byte[] png) {
        ByteBuffer in = ByteBuffer.wrap(png);
        for (int at = 8; at + 12 <= png.length; ) {
            int length = in.getInt(at);
            if (length < 0 || length > png.length - at - 12) {
                break;
            }
            CRC32 crc = new CRC32();
            crc.update(png, at + 4, length + 4);
            in.putInt(at + 8 + length, (int) crc.getValue());
            at += 12 + length;
        }
        return png;
    }
}
