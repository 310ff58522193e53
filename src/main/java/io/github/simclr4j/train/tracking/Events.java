// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * Serialises the few protocol buffers of TensorBoard's event files: {@code Event} of
 * <a href="https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto">event.proto</a>, and
 * {@code Summary} of summary.proto beside it. Their Java classes are only available with TensorFlow itself.
 */
final class Events {
    /** Fields of {@code Event}. */
    private static final int WALL_TIME = 1;

    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int SESSION_LOG = 7;
    /** Field and value of {@code SessionLog}. */
    private static final int STATUS = 1;

    private static final int START = 1;
    /** Fields of {@code Summary} and {@code Summary.Value}. */
    private static final int VALUE = 1;

    private static final int TAG = 1;
    private static final int SIMPLE_VALUE = 2;
    private static final int IMAGE = 4;
    /** Fields of {@code Summary.Image}. */
    private static final int HEIGHT = 1;

    private static final int WIDTH = 2;
    private static final int COLORSPACE = 3;
    private static final int ENCODED = 4;
    private static final int RGB = 3;

    private Events() {}

    @FunctionalInterface
    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            fields.write(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] event(double seconds, long step, Fields what) {
        return message(out -> {
            out.writeDouble(WALL_TIME, seconds);
            out.writeInt64(STEP, step);
            what.write(out);
        });
    }

    /**
     * Returns the first event of every file.
     *
     * @param seconds time in seconds since 1970
     */
    static byte[] version(double seconds) {
        return event(seconds, 0, out -> out.writeString(FILE_VERSION, "brain.Event:2"));
    }

    /** Returns the event by which a continued run discards earlier events of a step and all later ones. */
    static byte[] restart(double seconds, long step) {
        byte[] log = message(out -> out.writeEnum(STATUS, START));
        return event(seconds, step, out -> out.writeByteArray(SESSION_LOG, log));
    }

    /** Returns the event with a step's scalars, which the file stores as float32. */
    static byte[] scalars(double seconds, long step, Map<String, Double> scalars) {
        byte[] summary = message(out -> {
            for (Map.Entry<String, Double> e : scalars.entrySet()) {
                out.writeByteArray(VALUE, message(value -> {
                    value.writeString(TAG, e.getKey());
                    value.writeFloat(SIMPLE_VALUE, e.getValue().floatValue());
                }));
            }
        });
        return event(seconds, step, out -> out.writeByteArray(SUMMARY, summary));
    }

    /** Returns the event with a PNG picture. */
    static byte[] image(double seconds, long step, String tag, int width, int height, byte[] png) {
        byte[] image = message(out -> {
            out.writeInt32(HEIGHT, height);
            out.writeInt32(WIDTH, width);
            out.writeInt32(COLORSPACE, RGB);
            out.writeByteArray(ENCODED, png);
        });
        byte[] value = message(out -> {
            out.writeString(TAG, tag);
            out.writeByteArray(IMAGE, image);
        });
        byte[] summary = message(out -> out.writeByteArray(VALUE, value));
        return event(seconds, step, out -> out.writeByteArray(SUMMARY, summary));
    }
}
