/** The images that a training learns from, in memory or streamed, as bytes. This package knows no tensors. */
package io.github.simclr4j.train.data;
