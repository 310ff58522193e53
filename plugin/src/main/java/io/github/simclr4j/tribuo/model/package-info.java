// SPDX-License-Identifier: Apache-2.0
/**
 * Models that predict from an image. Each combines an encoder with a Tribuo model of its features, and is saved as one Tribuo model
 * or exported as one ONNX graph.
 */
package io.github.simclr4j.tribuo.model;
