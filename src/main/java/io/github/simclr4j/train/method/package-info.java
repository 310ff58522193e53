// SPDX-License-Identifier: Apache-2.0
/**
 * Training methods, which turn the views of a batch into a loss. To add a method, implement
 * {@link io.github.simclr4j.train.method.MethodFactory} and register it, in this jar or in another.
 */
package io.github.simclr4j.train.method;
