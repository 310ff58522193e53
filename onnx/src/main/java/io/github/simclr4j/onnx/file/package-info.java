/**
 * ONNX files: how a model is read, checked before native code sees it, inspected and written, and what the metadata of an
 * encoder says. The package may depend on {@code io.github.simclr4j.onnx.internal}.
 */
package io.github.simclr4j.onnx.file;
