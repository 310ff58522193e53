// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.util.Destination;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Writes features in NumPy's format 1.0, float32 [images, dimension], and the names of the rows to a second file, one
 * per line.
 */
final class NpyFeatures implements FeatureFile {
    /** Bytes of the header, a multiple of 64: the counts of rows and columns have at most 10 digits each. */
    private static final int HEADER = 128;

    private final Path file;
    private final int columns;
    private final TemporaryFile part;
    private final TemporaryFile lines;
    private int rows;

    NpyFeatures(Path file, int columns) throws IOException {
        this.file = file;
        this.columns = columns;
        part = TemporaryFile.beside(file);
        try {
            lines = TemporaryFile.beside(FeatureFile.namesBeside(file));
        } catch (IOException e) {
            part.close();
            throw e;
        }
        // The number of rows is known only at the end.
        part.stream().write(header(0));
    }

    /** Returns the magic bytes, the version, and the header padded to 128 bytes for any number of rows. */
    private byte[] header(int images) {
        String head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + images + ", " + columns + "), }";
        head += " ".repeat(HEADER - 11 - head.length()) + "\n";
        ByteBuffer prefix = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
        prefix.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 1)
                .put((byte) 0);
        return prefix.putShort((short) head.length())
                .put(head.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    @Override
    public void add(String name, String label, float[] features) throws IOException {
        ByteBuffer row = ByteBuffer.allocate(4 * features.length).order(ByteOrder.LITTLE_ENDIAN);
        row.asFloatBuffer().put(features);
        part.stream().write(row.array());
        lines.stream().write((name + "\n").getBytes(StandardCharsets.UTF_8));
        rows++;
    }

    @Override
    public void finish() throws IOException {
        part.overwrite(0, ByteBuffer.wrap(header(rows)));
        part.force();
        lines.force();
        // Both files are complete before either replaces an existing one, and a killed process leaves no new features
        // beside old names.
        Destination.of(FeatureFile.namesBeside(file)).delete();
        part.moveTo(file);
        lines.moveTo(FeatureFile.namesBeside(file));
    }

    @Override
    @SuppressWarnings("try")
    public void close() throws IOException {
        try (TemporaryFile second = lines) {
            part.close();
        }
    }
}
