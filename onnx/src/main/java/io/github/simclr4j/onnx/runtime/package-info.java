/**
 * Encoders that run in ONNX Runtime: how an encoder's graph is fed and read, what is set on the runtime, and how many images
 * are encoded with all cores busy. The package may depend on {@code io.github.simclr4j.onnx.network} and what that depends
 * on.
 */
package io.github.simclr4j.onnx.runtime;
