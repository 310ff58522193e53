/**
 * Models that predict from an image: an encoder and a Tribuo model on its features, saved as one, or written as one ONNX graph.
 */
package io.github.simclr4j.tribuo.model;
