/**
 * Extractors make Tribuo's examples of images: features from an encoder file, perhaps kept on disk, or the pixels themselves to
 * compare with.
 */
package io.github.simclr4j.tribuo.extraction;
