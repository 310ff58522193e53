// SPDX-License-Identifier: Apache-2.0
/** Devices of a training: GPUs, libtorch and native precisions. */
package io.github.simclr4j.train.device;
