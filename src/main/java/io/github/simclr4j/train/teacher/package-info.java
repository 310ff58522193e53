// SPDX-License-Identifier: Apache-2.0
/** A frozen teacher whose features a student learns, and the cache of these features on disk. */
package io.github.simclr4j.train.teacher;
