// SPDX-License-Identifier: Apache-2.0
/** The contrastive losses, as functions of tensors. */
package io.github.simclr4j.train.loss;
