/**
 * Networks as graphs of layers: the architectures, the projection heads, and how a network is written to and read from an ONNX
 * file. The package may depend on {@code io.github.simclr4j.onnx.file} and what that depends on.
 */
package io.github.simclr4j.onnx.network;
