/**
 * Building blocks for ONNX graphs that several packages of this module share and nobody else may use: values and types of
 * tensors, an index of a graph, the inference of shapes, and the folding of batch norms. The package depends on no other
 * package of this module.
 */
package io.github.simclr4j.onnx.internal;
