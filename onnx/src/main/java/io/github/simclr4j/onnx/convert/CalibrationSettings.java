// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.util.List;

/**
 * The calibration of a quantization: the images on which the ranges of activations are measured, and how. The images are preprocessed as
 * by {@link OnnxEncoder}.
 *
 * @param images some hundred images that resemble those of the application. The list is not copied, and each image is requested only
 *     once, so the list may read images when they are requested
 * @param method the method to derive ranges
 * @param runtime the settings of ONNX Runtime; the batch size has no effect
 * @param reduceRange true for 7-bit weights. x86 processors without VNNI instructions add two products of activations and weights in 16
 *     bits, which 8-bit weights can overflow
 * @since 0.1.0
 */
public record CalibrationSettings(
        List<RgbImage> images, CalibrationMethod method, RuntimeSettings runtime, boolean reduceRange) {
    /**
     * Creates settings with {@link RuntimeSettings#DEFAULT} and 8-bit weights.
     *
     * @param images some hundred images that resemble those of the application
     * @param method the method to derive ranges
     */
    public CalibrationSettings(List<RgbImage> images, CalibrationMethod method) {
        this(images, method, RuntimeSettings.DEFAULT, false);
    }

    /**
     * Checks that there are images.
     *
     * @throws IllegalArgumentException if there are none
     */
    public CalibrationSettings {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("Expected at least one calibration image, found none");
        }
    }
}
