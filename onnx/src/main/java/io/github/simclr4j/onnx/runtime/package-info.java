// SPDX-License-Identifier: Apache-2.0
/**
 * Runs encoders in ONNX Runtime: the inputs and outputs of an encoder's graph, the settings of the runtime, and a pipeline that encodes
 * many images on all cores. The package may depend on {@code io.github.simclr4j.onnx.network} and its dependencies.
 */
package io.github.simclr4j.onnx.runtime;
