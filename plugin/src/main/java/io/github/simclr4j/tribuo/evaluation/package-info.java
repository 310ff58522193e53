// SPDX-License-Identifier: Apache-2.0
/**
 * Evaluates encoders by named protocols such as a linear classifier or k nearest neighbours. To add a protocol, implement
 * {@link io.github.simclr4j.tribuo.evaluation.Protocol} and list the class in {@code META-INF/services}.
 */
package io.github.simclr4j.tribuo.evaluation;
