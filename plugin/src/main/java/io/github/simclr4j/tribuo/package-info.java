/**
 * The Tribuo side: images become {@link org.tribuo.Example}s
 * ({@link io.github.simclr4j.tribuo.SimCLRFeatureExtractor}) from folders, tables and Tribuo's own sources of pixels
 * ({@link io.github.simclr4j.tribuo.ImageFolderDataSource}, {@link io.github.simclr4j.tribuo.ImageTableDataSource},
 * {@link io.github.simclr4j.tribuo.EncodedDataSource}) and beside other columns of a table
 * ({@link io.github.simclr4j.tribuo.ImageFieldProcessor}). A Tribuo classifier trained on them says how good the features are
 * ({@link io.github.simclr4j.tribuo.LinearEvaluation}), learns from images without labels too
 * ({@link io.github.simclr4j.tribuo.SelfTrainingTrainer}), and with the encoder becomes one model
 * ({@link io.github.simclr4j.tribuo.EncodedModel}) or one ONNX graph ({@link io.github.simclr4j.tribuo.OnnxStitcher}). Needs ONNX
 * Runtime, and neither DJL nor libtorch.
 */
package io.github.simclr4j.tribuo;
