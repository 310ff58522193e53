/**
 * The encoder as an ONNX file: what it is ({@link io.github.simclr4j.onnx.ResNet},
 * {@link io.github.simclr4j.onnx.Preprocessing}), how it is written
 * ({@link io.github.simclr4j.onnx.EncoderWriter}), read, checked and run
 * ({@link io.github.simclr4j.onnx.OnnxEncoder}). Nothing here knows how an encoder is trained.
 *
 * <p>The contract of an encoder file: one input {@code image}, uint8 [batch, size, size, 3], RGB as it comes from a
 * decoder; one output {@code embedding}, float32 [batch, dimension]. Scaling, layout and normalisation are inside the
 * graph. An encoder that somebody else exported may be otherwise ({@link io.github.simclr4j.onnx.EncoderSettings}), and a
 * residual network's weights can be read back ({@link io.github.simclr4j.onnx.WeightReader}).
 */
package io.github.simclr4j.onnx;
