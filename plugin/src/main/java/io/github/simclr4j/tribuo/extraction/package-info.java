// SPDX-License-Identifier: Apache-2.0
/**
 * Feature extractors, which turn images into Tribuo examples. The features come from an encoder file, optionally through a cache on
 * disk, or are the pixels themselves as a baseline.
 */
package io.github.simclr4j.tribuo.extraction;
