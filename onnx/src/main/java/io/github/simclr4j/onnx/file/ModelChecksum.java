// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * A model's SHA-256 in its own metadata. It covers the whole message except that entry: weights, graph and the other metadata. So it
 * detects damage not only in weights but also, for example, in a node or in the mean of the normalisation. External data have their own
 * hash in the metadata. Files without a checksum, such as those of other tools or older versions, are accepted.
 *
 * @since 0.1.0
 */
public final class ModelChecksum {

    /** The result of checking a model's checksum. */
    public enum State {
        /** The model has no checksum. */
        NONE,
        /** The content matches the checksum. */
        MATCHES,
        /** The content does not match the checksum: it was damaged or changed. */
        DIFFERS
    }

    private ModelChecksum() {}

    /** Returns a model with the checksum of its present content. */
    public static ModelProto sign(ModelProto model) {
        ModelProto bare = without(model);
        return bare.toBuilder()
                .addMetadataProps(GraphBuilder.entry(EncoderMetadata.CHECKSUM, of(bare)))
                .build();
    }

    /** Returns a model without its checksum, for example to change it. */
    public static ModelProto without(ModelProto model) {
        if (model.getMetadataPropsList().stream().noneMatch(e -> e.getKey().equals(EncoderMetadata.CHECKSUM))) {
            return model;
        }
        ModelProto.Builder b = model.toBuilder();
        for (int i = b.getMetadataPropsCount() - 1; i >= 0; i--) {
            if (b.getMetadataProps(i).getKey().equals(EncoderMetadata.CHECKSUM)) {
                b.removeMetadataProps(i);
            }
        }
        return b.build();
    }

    /** Compares a model's content with its checksum. */
    public static State state(ModelProto model) {
        Optional<String> said = entry(model, EncoderMetadata.CHECKSUM);
        return said.isEmpty() ? State.NONE : said.get().equals(of(without(model))) ? State.MATCHES : State.DIFFERS;
    }

    /**
     * Checks a model's content and its external data against the hashes in the metadata.
     *
     * @param external the files with its external data
     * @param name the model's name in messages
     * @throws InvalidEncoderException if a hash differs
     * @throws IOException if a file can't be read
     */
    static void verify(ModelProto model, Set<Path> external, String name) throws IOException {
        if (state(model) == State.DIFFERS) {
            throw new InvalidEncoderException(
                    name + " is damaged: its content does not have the SHA-256 that was written with it; copy"
                            + " it again from the original (a program that changes it on purpose must delete the metadata entry "
                            + EncoderMetadata.CHECKSUM + ")");
        }
        Optional<String> data = entry(model, EncoderMetadata.EXTERNAL_DATA);
        if (data.isPresent() && external.size() == 1) {
            Path file = external.iterator().next();
            Sha256 hash = new Sha256();
            byte[] part = new byte[1 << 16];
            try (InputStream in = Files.newInputStream(file)) {
                for (int n = in.read(part); n >= 0; n = in.read(part)) {
                    hash.update(part, 0, n);
                }
            }
            if (!data.get().equals(hash.hex())) {
                throw new InvalidEncoderException(
                        name + " is damaged: the weights in " + file.getFileName() + " do not have the SHA-256"
                                + " that was written with them; copy both files again from the originals");
            }
        }
    }

    private static Optional<String> entry(ModelProto model, String key) {
        return model.getMetadataPropsList().stream()
                .filter(e -> e.getKey().equals(key))
                .map(e -> e.getValue())
                .findFirst();
    }

    private static String of(ModelProto model) {
        Sha256 hash = new Sha256();
        try {
            model.writeTo(new OutputStream() {
                @Override
                public void write(int b) {
                    hash.update(new byte[] {(byte) b});
                }

                @Override
                public void write(byte[] bytes, int offset, int length) {
                    hash.update(bytes, offset, length);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return hash.hex();
    }
}
