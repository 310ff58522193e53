// SPDX-License-Identifier: Apache-2.0
/** Tribuo trainers and OLCUT components for pretraining, fine-tuning and distillation. */
package io.github.simclr4j.train.tribuo;
