package io.github.simclr4j.onnx.file;

import java.io.IOException;

/** A file that is not ONNX, or an ONNX file that is no image encoder. */
public final class InvalidEncoderException extends IOException {
    private static final long serialVersionUID = 1L;

    public InvalidEncoderException(String message) {
        super(message);
    }

    public InvalidEncoderException(String message, Throwable cause) {
        super(message, cause);
    }
}
