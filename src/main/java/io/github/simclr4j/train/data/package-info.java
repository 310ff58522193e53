// SPDX-License-Identifier: Apache-2.0
/** The training images as bytes, in memory or streamed. This package does not depend on tensors. */
package io.github.simclr4j.train.data;
