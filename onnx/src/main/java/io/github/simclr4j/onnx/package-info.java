/**
 * The encoder as an ONNX file: what it is ({@link io.github.simclr4j.onnx.ResNet},
 * {@link io.github.simclr4j.onnx.Preprocessing}), how it is written
 * ({@link io.github.simclr4j.onnx.EncoderWriter}), read, checked and run
 * ({@link io.github.simclr4j.onnx.OnnxEncoder}), written anew in another form
 * ({@link io.github.simclr4j.onnx.Conversion}), and fed with files ({@link io.github.simclr4j.onnx.Images},
 * {@link io.github.simclr4j.onnx.EncoderPipeline}). Nothing here knows how an encoder is trained.
 *
 * <p>The contract of an encoder file: one input {@code image}, uint8 [batch, size, size, 3], RGB as it comes from a
 * decoder; one output {@code embedding}, float32 [batch, dimension]. Scaling, layout and normalisation are inside the
 * graph. {@link io.github.simclr4j.onnx.EncoderLayout} and {@link io.github.simclr4j.onnx.Conversion} also write files
 * with a second output, or with float32 input. An encoder that somebody else exported may be otherwise ({@link io.github.simclr4j.onnx.EncoderSettings}), and a
 * residual network's weights can be read back ({@link io.github.simclr4j.onnx.WeightReader}).
 */
package io.github.simclr4j.onnx;
