package io.github.simclr4j.tribuo.model;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The encoder file of a model, and how it is run.
 *
 * @param content the file's bytes if the model is saved with them, null if it refers to the path
 * @param path where the file is, or was
 * @param threads threads of one call of the encoder, 0 for as many as ONNX Runtime likes
 */
record EncoderFile(byte[] content, String path, int threads) {

    /** A file that goes into the model. */
    static EncoderFile inside(byte[] content, String path, int threads) {
        return new EncoderFile(content, path, threads);
    }

    /** A file that stays where it is. */
    static EncoderFile at(String path, int threads) {
        return new EncoderFile(null, path, threads);
    }

    /** Reads an encoder file that a model is being made with. */
    static byte[] read(Path encoder) throws IOException {
        if (!Files.isRegularFile(encoder)) {
            throw new IOException(encoder + " is not a file: name the encoder that the model was trained with");
        }
        return Files.readAllBytes(encoder);
    }

    /** Reads an encoder file that a model was made with, and checks that it is the same. */
    private static byte[] readUnchanged(Path encoder, String sha256) throws IOException {
        String fix = "; put the encoder with SHA-256 " + sha256 + " there, or name it to EncodedModel.load";
        if (!Files.isRegularFile(encoder)) {
            throw new IOException("the encoder " + encoder + " is missing" + fix);
        }
        byte[] bytes = Files.readAllBytes(encoder);
        String found = Sha256.hex(bytes);
        if (!found.equals(sha256)) {
            throw new IOException("the encoder " + encoder + " has changed: its SHA-256 is now " + found + fix);
        }
        return bytes;
    }

    /**
     * The file's bytes.
     *
     * @param sha256 of the file when the model was made
     * @throws IOException if it is referred to, and missing or changed
     */
    byte[] bytes(String sha256) throws IOException {
        return content != null ? content : readUnchanged(Path.of(path), sha256);
    }

    /**
     * Opens the encoder.
     *
     * @param bytes the file's
     * @throws IOException if they are no encoder
     */
    OnnxEncoder open(byte[] bytes) throws IOException {
        try {
            return OnnxEncoder.open(bytes, path, threads);
        } catch (InvalidEncoderException e) {
            if (hasExternalData(bytes)) {
                throw new IOException(path + " keeps weights in other files, expected an encoder in one file: save it as one"
                        + " (onnx.save_model without save_as_external_data)", e);
            }
            throw e;
        }
    }

    private static boolean hasExternalData(byte[] bytes) {
        try {
            return OnnxMl.ModelProto.parseFrom(bytes).getGraph().getInitializerList().stream()
                    .anyMatch(t -> t.getExternalDataCount() > 0);
        } catch (InvalidProtocolBufferException e) {
            return false;
        }
    }
}
