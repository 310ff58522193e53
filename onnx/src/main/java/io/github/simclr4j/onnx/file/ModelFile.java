package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.RegularFiles;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** An ONNX model on disk, with or without a data file beside it. */
public final class ModelFile {
    /** A protobuf message ends at 2 GB; some room is left for all but the weights. */
    public static final long LIMIT = (1L << 31) - (64 << 20);

    private ModelFile() {}

    /** The model as it is on disk: external tensors stay references. */
    public static ModelProto parse(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: name an encoder, such as one that pretrain wrote");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 8) {
            throw new InvalidEncoderException(file + " is not an ONNX file: a protobuf message has at most 2 GB");
        }
        ModelProto model;
        try {
            model = ModelProto.parseFrom(RegularFiles.read(file));
        } catch (InvalidProtocolBufferException e) {
            throw new InvalidEncoderException(file + " is not an ONNX file, or a damaged one: " + e.getMessage(), e);
        }
        if (model.getIrVersion() == 0 || model.getGraph().getNodeCount() == 0) {
            throw new InvalidEncoderException(file + " is not an ONNX file: it holds no graph");
        }
        return model;
    }

    /** The model, checked as one that native code will see, with every initialiser's values in memory. */
    public static ModelProto read(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Checked checked = ModelValidator.check(bytes(file), file.toString(), folder);
        ModelChecksum.verify(checked.model(), checked.external(), file.toString());
        ModelProto.Builder model = ModelChecksum.without(checked.model()).toBuilder();
        for (int i = 0; i < model.getGraph().getInitializerCount(); i++) {
            TensorProto t = model.getGraph().getInitializer(i);
            if (TensorTypes.isExternal(t)) {
                model.getGraphBuilder().setInitializer(i, ExternalData.load(t, folder, file.toString()));
            }
        }
        // The data file that is written next, if any, has a hash of its own.
        for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
            if (model.getMetadataProps(i).getKey().equals(EncoderMetadata.EXTERNAL_DATA)) {
                model.removeMetadataProps(i);
            }
        }
        return model.build();
    }

    /** Bytes of all initialisers in memory. */
    static long weightBytes(ModelProto model) {
        return model.getGraph().getInitializerList().stream().mapToLong(t -> t.getRawData().size()
                + 4L * t.getFloatDataCount() + 4L * t.getInt32DataCount() + 8L * t.getInt64DataCount()).sum();
    }

    /** Writes a model, its weights beside it if they are more than a limit in bytes. */
    public static void write(Path file, ModelProto model, long limit) throws IOException {
        write(file, weightBytes(model), limit, store -> {
            ModelProto.Builder b = model.toBuilder();
            for (int i = 0; i < model.getGraph().getInitializerCount(); i++) {
                b.getGraphBuilder().setInitializer(i, store.apply(model.getGraph().getInitializer(i)));
            }
            return b.build();
        });
    }

    /**
     * Writes a model as it is built.
     *
     * @param bytes of the weights
     * @param limit the most that go into the model itself
     * @param build makes the model, and gives each initialiser to the store
     */
    public static void write(Path file, long bytes, long limit, Function<UnaryOperator<TensorProto>, ModelProto> build)
            throws IOException {
        if (bytes <= limit) {
            AtomicFiles.write(file, ModelChecksum.sign(build.apply(UnaryOperator.identity())).toByteArray());
            return;
        }
        try (ExternalData data = new ExternalData(file)) {
            data.finish(build.apply(data));
        } catch (UncheckedIOException | FileSystemException e) {
            Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
            throw new IOException("Can't write " + file + ": " + cause + "; choose another path or free some space", cause);
        }
    }

    /**
     * Returns the bytes of a model's file.
     *
     * @throws InvalidEncoderException if it has more than the 2 GB that a protobuf message can have
     * @throws IOException if it can't be read
     */
    public static byte[] bytes(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: name an encoder, such as one that pretrain wrote");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 16) {
            throw new InvalidEncoderException(file + " has " + Files.size(file)
                    + " bytes, more than an ONNX file can have (2 GB): export it with external data");
        }
        return RegularFiles.read(file);
    }

    /** Returns the SHA-256 of a model's file and then of the files of its external data, in the order of their paths. */
    public static String sha256(byte[] bytes, Set<Path> external) throws IOException {
        Sha256 hash = new Sha256().update(bytes);
        byte[] part = new byte[1 << 16];
        for (Path f : external) {
            try (InputStream in = Files.newInputStream(f)) {
                for (int n = in.read(part); n >= 0; n = in.read(part)) {
                    hash.update(part, 0, n);
                }
            }
        }
        return hash.hex();
    }

    /**
     * Parses a model and checks it as one that native code will see, and by its checksum if it has one.
     *
     * @param bytes the file
     * @param name what errors call it
     * @param folder where its external data may be, null for nowhere
     * @throws InvalidEncoderException if it is damaged or unsafe, in one sentence
     */
    public static Checked check(byte[] bytes, String name, Path folder) throws InvalidEncoderException {
        Checked checked = ModelValidator.check(bytes, name, folder);
        try {
            ModelChecksum.verify(checked.model(), checked.external(), name);
        } catch (InvalidEncoderException e) {
            throw e;
        } catch (IOException e) {
            throw new InvalidEncoderException(name + " has data beside it that can't be read: " + e, e);
        }
        return checked;
    }

    /**
     * A model that passed the check.
     *
     * @param model the model
     * @param external the files beside it that its tensors are in, real paths
     */
    public record Checked(ModelProto model, Set<Path> external) {}
}
