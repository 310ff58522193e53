// SPDX-License-Identifier: Apache-2.0
/**
 * Explores a set of images by their features: nearest neighbours, near-duplicates, a diverse selection to label first, outliers and
 * probably wrong labels. Everything here works on {@link io.github.simclr4j.tribuo.explore.Features} of any encoder.
 */
package io.github.simclr4j.tribuo.explore;
