// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import java.io.IOException;

/**
 * Thrown if a file is not an ONNX file, or if an ONNX file is not an image encoder.
 *
 * @since 0.1.0
 */
public final class InvalidEncoderException extends IOException {
    private static final long serialVersionUID = 1L;

    public InvalidEncoderException(String message) {
        super(message);
    }

    public InvalidEncoderException(String message, Throwable cause) {
        super(message, cause);
    }
}
