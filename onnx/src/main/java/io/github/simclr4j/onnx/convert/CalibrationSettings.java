package io.github.simclr4j.onnx.convert;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.util.List;

/**
 * Images to find the ranges of activations on; they are prepared as {@link OnnxEncoder} prepares them.
 *
 * @param images some hundred, alike to those that the encoder will see; the list is not copied, and each image is asked for
 *     once, so that it may be one that reads them then
 * @param method how ranges follow
 * @param runtime how the encoder is run on them; its batch has no effect
 * @param reduceRange true to give weights 7 bits: x86 processors without VNNI instructions add two products of an
 *     activation and a weight in 16 bits, which 8-bit weights can overflow
 */
public record CalibrationSettings(List<RgbImage> images, CalibrationMethod method, RuntimeSettings runtime, boolean reduceRange) {
    /** Images for an encoder that runs as {@link RuntimeSettings#DEFAULT}, with weights of 8 bits. */
    public CalibrationSettings(List<RgbImage> images, CalibrationMethod method) {
        this(images, method, RuntimeSettings.DEFAULT, false);
    }

    /** Checks that there are images. */
    public CalibrationSettings {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("Expected images to calibrate on, found none");
        }
    }
}
