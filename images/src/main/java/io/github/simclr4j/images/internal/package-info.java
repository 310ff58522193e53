/**
 * What several packages of this module share and nobody else may use.
 */
package io.github.simclr4j.images.internal;
