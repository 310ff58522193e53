// SPDX-License-Identifier: Apache-2.0
/**
 * Helpers for ONNX graphs that the packages of this module share: tensor values and types, an index of a graph, shape inference, and
 * folding of batch norms. Not public API. The package depends on no other package of this module.
 */
package io.github.simclr4j.onnx.internal;
