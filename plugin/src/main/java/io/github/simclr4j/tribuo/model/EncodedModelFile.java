// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.protos.EncodedModelProto;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.protos.core.ModelProto;

/** Reads and writes saved {@link EncodedModel}s: a Tribuo protobuf message that contains a message of this library. */
final class EncodedModelFile {
    /** The class's present and former name. */
    private static final Set<String> CLASS_NAMES =
            Set.of(EncodedModel.class.getName(), "io.github.simclr4j.tribuo." + EncodedModel.class.getSimpleName());

    private EncodedModelFile() {}

    /**
     * Loads a saved model.
     *
     * @param encoder the present location of the encoder; null for the saved location
     * @throws IOException if the file is not an encoded model, or if the encoder is missing or a different one; the message names
     *     the file
     */
    static EncodedModel<?> load(Path file, Path encoder) throws IOException {
        try {
            ModelProto proto = ModelProto.parseFrom(Files.readAllBytes(file));
            if (!CLASS_NAMES.contains(proto.getClassName())) {
                throw new IOException("expected an " + EncodedModel.class.getSimpleName() + ", found "
                        + (proto.getClassName().isEmpty()
                                ? "a file that is not a Tribuo model"
                                : proto.getClassName()));
            }
            return read(proto.getVersion(), proto.getSerializedData(), encoder);
        } catch (IOException | RuntimeException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Restores a model from its protobuf message.
     *
     * @param elsewhere the present location of the encoder; null for the saved location
     */
    static EncodedModel<?> read(int version, Any message, Path elsewhere) throws IOException {
        if (version < 0 || version > EncodedModel.CURRENT_VERSION) {
            throw new IllegalArgumentException("Unknown version " + version + ", this class supports at most version "
                    + EncodedModel.CURRENT_VERSION);
        }
        EncodedModelProto proto = unpack(message);
        ModelDataCarrier<?> carrier = ModelDataCarrier.deserialize(proto.getMetadata());
        String path = elsewhere == null ? proto.getEncoderPath() : elsewhere.toString();
        // The model may have been saved on a machine with more processors.
        int threads = Math.min(proto.getThreads(), RuntimeSettings.maxThreads());
        EncoderFile file = proto.getEncoder().isEmpty()
                ? EncoderFile.at(path, threads)
                : EncoderFile.inside(proto.getEncoder().toByteArray(), path, threads);
        if (file.content() != null && !Sha256.hex(file.content()).equals(proto.getEncoderSha256())) {
            throw new IOException(
                    "the encoder in the model is damaged: its SHA-256 is not " + proto.getEncoderSha256());
        }
        return typed(
                OutputFactory.deserialize(proto.getOutputFactory()),
                Model.deserialize(proto.getModel()),
                file,
                proto.getEncoderSha256(),
                carrier);
    }

    private static <T extends Output<T>> EncodedModel<T> typed(
            OutputFactory<T> factory, Model<?> model, EncoderFile file, String sha256, ModelDataCarrier<?> carrier)
            throws IOException {
        @SuppressWarnings("unchecked") // The unknown output has type T.
        Class<T> type = (Class<T>) factory.getUnknownOutput().getClass();
        return EncodedModelFactory.restore(factory, model.castModel(type), file, sha256, carrier);
    }

    private static EncodedModelProto unpack(Any message) throws IOException {
        try {
            return message.unpack(EncodedModelProto.class);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("damaged model: " + e.getMessage(), e);
        }
    }

    /** Returns the protobuf message of a model. */
    static ModelProto write(EncodedModel<?> model, EncoderFile file) {
        Model<?> inner = model.getInnerModel();
        EncodedModelProto.Builder proto = EncodedModelProto.newBuilder()
                // The feature domain of pixels follows from the encoder, and would make up most of a small model's
                // file.
                .setMetadata(carrier(model).serialize())
                .setOutputFactory(model.getOutputFactory().serialize())
                .setModel(inner.serialize())
                .setEncoderPath(file.path())
                .setEncoderSha256(model.encoder().sha256())
                .setThreads(file.threads());
        if (file.content() != null) {
            proto.setEncoder(ByteString.copyFrom(file.content()));
        }
        return ModelProto.newBuilder()
                .setSerializedData(Any.pack(proto.build()))
                .setClassName(EncodedModel.class.getName())
                .setVersion(EncodedModel.CURRENT_VERSION)
                .build();
    }

    private static <T extends Output<T>> ModelDataCarrier<T> carrier(EncodedModel<T> model) {
        return new ModelDataCarrier<>(
                model.getName(),
                model.getProvenance(),
                model.getInnerModel().getFeatureIDMap(),
                model.getOutputIDInfo(),
                model.generatesProbabilities(),
                model.getProvenance().getTribuoVersion());
    }
}
