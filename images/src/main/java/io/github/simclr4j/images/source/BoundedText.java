// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.io.input.BOMInputStream;

/**
 * A reader that limits the length of a table's rows to about a million characters. Parsers keep a row in memory, and a row with an
 * unclosed quote would otherwise extend to the end of the file.
 */
final class BoundedText extends FilterReader {
    /** The longest row, in characters. */
    static final int LONGEST_ROW = 1 << 20;

    private long sinceRow;
    private long rowStart = 1;

    private BoundedText(Reader in) {
        super(in);
    }

    /** Opens a file in UTF-8. Invalid bytes are errors, since different names could become equal if they were replaced. */
    static BoundedText open(Path file) throws IOException {
        return new BoundedText(new InputStreamReader(
                BOMInputStream.builder()
                        .setInputStream(Files.newInputStream(file))
                        .get(),
                StandardCharsets.UTF_8.newDecoder()));
    }

    /** Returns the first line of a file, or an empty string if the file is empty. */
    static String firstLine(Path file) throws IOException {
        StringBuilder first = new StringBuilder();
        try (BoundedText text = open(file)) {
            char[] buffer = new char[1 << 12];
            for (int n = text.read(buffer, 0, buffer.length); n >= 0; n = text.read(buffer, 0, buffer.length)) {
                for (int i = 0; i < n; i++) {
                    if (buffer[i] == '\n' || buffer[i] == '\r') {
                        return first.toString();
                    }
                    first.append(buffer[i]);
                }
            }
        }
        return first.toString();
    }

    /**
     * Must be called after each row. The characters that the parser has read ahead, some thousand, count for that row.
     *
     * @param line the line in which the next row begins, counted from 1
     */
    void rowEnded(long line) {
        sinceRow = 0;
        rowStart = line;
    }

    @Override
    public int read() throws IOException {
        char[] one = new char[1];
        return read(one, 0, 1) < 0 ? -1 : one[0];
    }

    @Override
    public int read(char[] into, int offset, int count) throws IOException {
        int n = super.read(into, offset, count);
        sinceRow += Math.max(0, n);
        if (sinceRow > LONGEST_ROW) {
            throw new IOException("the row that begins in line " + rowStart + " is longer than " + LONGEST_ROW
                    + " characters: close its quote, or choose a file that is a table");
        }
        return n;
    }
}
