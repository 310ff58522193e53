// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Destination;
import io.github.simclr4j.util.Sha256;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * Writes initialisers to a file beside the model (<a href="https://github.com/onnx/onnx/blob/main/docs/ExternalData.md">external
 * data</a>), because a protobuf message is limited to 2 GB. The values are first written to a temporary file, one tensor at a time. The
 * finished file is named after its content, so that a new model never shares it with the model that it replaces. So after a failure
 * either the old or the new pair of files is complete.
 */
final class ExternalData implements UnaryOperator<TensorProto>, AutoCloseable {
    /** Alignment of tensors in bytes, so that a runtime can map the file into memory. */
    private static final int ALIGNMENT = 4096;
    /** Minimum size in bytes of tensors in the data file; smaller ones stay in the model. */
    private static final int SMALL = 1024;

    private static final String PENDING = "?";

    private final Path model;
    private final TemporaryFile data;
    private final Sha256 hash = new Sha256();
    private long position;

    /** Creates the data file of a new model. */
    ExternalData(Path model) throws IOException {
        this.model = model.toAbsolutePath();
        if (Files.isSymbolicLink(model) || !Destination.of(model).replaced()) {
            throw new IOException(
                    "Can't write " + model + ": a model of this size needs a data file beside it, which is not possible"
                            + " for a link or a device; choose a regular file");
        }
        data = TemporaryFile.beside(this.model.resolveSibling(this.model.getFileName() + ".data"));
    }

    /** Writes a tensor's values to the data file and returns a tensor that refers to them. */
    @Override
    public TensorProto apply(TensorProto t) {
        ByteString values = t.getRawData();
        if (values.size() < SMALL) {
            return t;
        }
        try {
            write(ByteBuffer.allocate((int) ((ALIGNMENT - position % ALIGNMENT) % ALIGNMENT)));
            long offset = position;
            for (ByteBuffer b : values.asReadOnlyByteBufferList()) {
                write(b);
            }
            return t.toBuilder()
                    .clearRawData()
                    .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(GraphBuilder.entry("location", PENDING))
                    .addExternalData(GraphBuilder.entry("offset", Long.toString(offset)))
                    .addExternalData(GraphBuilder.entry("length", Long.toString(values.size())))
                    .build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(ByteBuffer b) throws IOException {
        hash.update(b.duplicate());
        position += b.remaining();
        data.write(b);
    }

    /** Sets the name of the data file in a model with tensors of {@link #apply}, and moves both files to their final place. */
    void finish(ModelProto built) throws IOException {
        data.force();
        String hex = hash.hex();
        String name = model.getFileName() + "-" + hex.substring(0, 12) + ".data";
        ModelProto.Builder named =
                built.toBuilder().addMetadataProps(GraphBuilder.entry(EncoderMetadata.EXTERNAL_DATA, hex));
        for (TensorProto.Builder t : named.getGraphBuilder().getInitializerBuilderList()) {
            for (StringStringEntryProto.Builder e : t.getExternalDataBuilderList()) {
                if (e.getValue().equals(PENDING)) {
                    e.setValue(name);
                }
            }
        }
        TreeSet<String> before = old();
        data.moveTo(model.resolveSibling(name));
        try {
            AtomicFiles.write(model, ModelChecksum.sign(named.build()).toByteArray());
        } catch (IOException e) {
            if (!before.contains(name)) {
                Files.deleteIfExists(model.resolveSibling(name));
            }
            throw e;
        }
        before.remove(name);
        for (String left : before) {
            Files.deleteIfExists(model.resolveSibling(left));
        }
    }

    /** Returns the data files, written by this library, of the model to be replaced. */
    private TreeSet<String> old() throws IOException {
        TreeSet<String> names = new TreeSet<>();
        if (Files.isRegularFile(model)) {
            try (InputStream in = Files.newInputStream(model)) {
                names.addAll(locations(ModelProto.parseFrom(in)));
            } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                // The old file is not a model; it is simply replaced.
                names.clear();
            }
            names.removeIf(n -> !n.startsWith(model.getFileName() + "-") || !n.endsWith(".data") || n.contains("/"));
        }
        return names;
    }

    /** Returns the names of the files with a model's initialisers. */
    static TreeSet<String> locations(ModelProto model) {
        TreeSet<String> names = new TreeSet<>();
        model.getGraph().getInitializerList().forEach(t -> {
            if (TensorTypes.isExternal(t)) {
                t.getExternalDataList().stream()
                        .filter(e -> e.getKey().equals("location"))
                        .forEach(e -> names.add(e.getValue()));
            }
        });
        return names;
    }

    /**
     * Loads the values of a tensor into it.
     *
     * @param folder the model's folder, which must contain the data file
     * @param name the model's name in messages
     */
    static TensorProto load(TensorProto t, Path folder, String name) throws InvalidEncoderException {
        return !TensorTypes.isExternal(t)
                ? t
                : t.toBuilder()
                        .clearExternalData()
                        .clearDataLocation()
                        .setRawData(UnsafeByteOperations.unsafeWrap(Tensors.raw(t, folder, name)))
                        .build();
    }

    /** Closes the data file, and deletes it unless it was finished. */
    @Override
    public void close() throws IOException {
        data.close();
    }
}
