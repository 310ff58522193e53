// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** Reads event files by the formats' own descriptions, with none of the code that writes them. */
final class EventFiles {
    private EventFiles() {}

    /** Returns the event files below a folder, the oldest first. */
    static List<Path> below(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> f.getFileName().toString().contains("tfevents"))
                    .sorted((a, b) ->
                            Long.compare(a.toFile().lastModified(), b.toFile().lastModified()))
                    .toList();
        }
    }

    /** Returns the whole records of a file; a last one that is cut off is left out. */
    static List<UnknownFieldSet> read(byte[] file) throws InvalidProtocolBufferException {
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        List<UnknownFieldSet> events = new ArrayList<>();
        while (in.remaining() >= 12) {
            byte[] length = new byte[8];
            in.get(length);
            check(length, in.getInt());
            long n = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (in.remaining() < n + 4) {
                break;
            }
            byte[] data = new byte[(int) n];
            in.get(data);
            check(data, in.getInt());
            events.add(UnknownFieldSet.parseFrom(data));
        }
        return events;
    }

    /** The mask is rotated right by 15 bits and added to a constant; undone here, to be another way than the writer's. */
    private static void check(byte[] data, int masked) {
        int crc = Integer.rotateLeft(masked - 0xa282ead8, 15);
        CRC32C expected = new CRC32C();
        expected.update(data);
        if ((int) expected.getValue() != crc) {
            throw new AssertionError("wrong CRC");
        }
    }

    static long step(UnknownFieldSet event) {
        return event.hasField(2) ? event.getField(2).getVarintList().get(0) : 0;
    }

    static Map<String, Float> scalars(UnknownFieldSet event) throws InvalidProtocolBufferException {
        Map<String, Float> all = new LinkedHashMap<>();
        for (UnknownFieldSet value : values(event)) {
            if (value.hasField(2)) {
                all.put(
                        tag(value),
                        Float.intBitsToFloat(value.getField(2).getFixed32List().get(0)));
            }
        }
        return all;
    }

    static List<UnknownFieldSet> values(UnknownFieldSet event) throws InvalidProtocolBufferException {
        List<UnknownFieldSet> all = new ArrayList<>();
        if (event.hasField(5)) {
            UnknownFieldSet summary = message(event, 5);
            for (var bytes : summary.getField(1).getLengthDelimitedList()) {
                all.add(UnknownFieldSet.parseFrom(bytes));
            }
        }
        return all;
    }

    static UnknownFieldSet message(UnknownFieldSet in, int field) throws InvalidProtocolBufferException {
        return UnknownFieldSet.parseFrom(
                in.getField(field).getLengthDelimitedList().get(0));
    }

    static String tag(UnknownFieldSet value) {
        return value.getField(1).getLengthDelimitedList().get(0).toStringUtf8();
    }
}
