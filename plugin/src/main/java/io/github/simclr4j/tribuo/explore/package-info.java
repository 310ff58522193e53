/**
 * Looking through images by their features: nearest neighbours, near-duplicates, a diverse selection to label first, outliers and
 * doubtful labels. All of it works on {@link io.github.simclr4j.tribuo.explore.Features}, whatever encoder they are of.
 */
package io.github.simclr4j.tribuo.explore;
