// SPDX-License-Identifier: Apache-2.0
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
 * The encoder file of a model.
 *
 * @param content the file's bytes if the saved model contains them, or null if it refers to the path
 * @param path the location of the file when the model was created
 * @param threads threads per call of the encoder; 0 lets ONNX Runtime choose
 */
record EncoderFile(byte[] content, String path, int threads) {

    /** Describes a file that the saved model contains. */
    static EncoderFile inside(byte[] content, String path, int threads) {
        return new EncoderFile(content, path, threads);
    }

    /** Describes a file that the saved model refers to. */
    static EncoderFile at(String path, int threads) {
        return new EncoderFile(null, path, threads);
    }

    /** Reads the encoder file for a new model. */
    static byte[] read(Path encoder) throws IOException {
        if (!Files.isRegularFile(encoder)) {
            throw new IOException(encoder + " is not a file; expected the encoder that the model was trained with");
        }
        return Files.readAllBytes(encoder);
    }

    /** Reads the encoder file of a saved model, and checks that it is unchanged. */
    private static byte[] readUnchanged(Path encoder, String sha256) throws IOException {
        String fix = "; put the encoder with SHA-256 " + sha256 + " there, or pass its location to EncodedModel.load";
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
     * Returns the file's bytes.
     *
     * @param sha256 the hash of the file when the model was created
     * @throws IOException if the saved model refers to a file that is missing or has changed
     */
    byte[] bytes(String sha256) throws IOException {
        return content != null ? content : readUnchanged(Path.of(path), sha256);
    }

    /**
     * Opens the encoder.
     *
     * @param bytes the file's bytes
     * @throws IOException if they are not an encoder
     */
    OnnxEncoder open(byte[] bytes) throws IOException {
        try {
            return OnnxEncoder.open(bytes, path, threads);
        } catch (InvalidEncoderException e) {
            if (hasExternalData(bytes)) {
                throw new IOException(
                        path
                                + " keeps its weights in other files (external data), expected an encoder in one file: save"
                                + " it with onnx.save_model without save_as_external_data",
                        e);
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
