// SPDX-License-Identifier: Apache-2.0
/**
 * Reads, validates, inspects and writes ONNX files, including the metadata of encoders. The package may depend on
 * {@code io.github.simclr4j.onnx.internal}.
 */
package io.github.simclr4j.onnx.file;
