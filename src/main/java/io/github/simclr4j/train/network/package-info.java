// SPDX-License-Identifier: Apache-2.0
/** The Torch backend: runs a {@link io.github.simclr4j.onnx.network.LayerGraph} with its weights as TorchScript. */
package io.github.simclr4j.train.network;
