/**
 * Converts encoder files: to float16 or int8, to another opset, without preprocessing, or with their settings inside. The
 * package may depend on every other package of this module.
 */
package io.github.simclr4j.onnx.convert;
