// SPDX-License-Identifier: Apache-2.0
/** Tribuo trainers that also learn from unlabelled examples, and helpers for writing further trainers. */
package io.github.simclr4j.tribuo.training;
