/** A frozen encoder that a student learns from: what it says of images, in memory and kept on disk. */
package io.github.simclr4j.train.teacher;
