/** The Torch backend: a {@link io.github.simclr4j.onnx.network.LayerGraph} as TorchScript, with its weights. */
package io.github.simclr4j.train.network;
