/** Measures how fast the parts of a training are, and how fast a whole one is on a machine that is there for some minutes. */
package io.github.simclr4j.train.bench;

