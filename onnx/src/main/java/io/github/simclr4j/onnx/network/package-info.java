// SPDX-License-Identifier: Apache-2.0
/**
 * Describes networks as graphs of layers: architectures, projection heads, and classes that write networks to ONNX files and read them.
 * The package may depend on {@code io.github.simclr4j.onnx.file} and its dependencies.
 */
package io.github.simclr4j.onnx.network;
