// SPDX-License-Identifier: Apache-2.0
/**
 * Converts encoder files to float16 or int8 or to another opset, removes preprocessing from their graphs, or stores settings in their
 * metadata. The package may depend on all other packages of this module.
 */
package io.github.simclr4j.onnx.convert;
