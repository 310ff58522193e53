/**
 * The Tribuo side: images become {@link org.tribuo.Example}s
 * ({@link io.github.simclr4j.tribuo.SimCLRFeatureExtractor}, {@link io.github.simclr4j.tribuo.ImageFolderDataSource}), and a
 * Tribuo classifier trained on them says how good the features are ({@link io.github.simclr4j.tribuo.LinearEvaluation}).
 * Needs ONNX Runtime, and neither DJL nor libtorch.
 */
package io.github.simclr4j.tribuo;
