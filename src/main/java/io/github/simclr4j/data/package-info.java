/**
 * Where images come from: {@link io.github.simclr4j.data.ImageSource} reads them by index out of folders, archives, tables
 * and the binary files of CIFAR, STL-10 and MNIST; {@link io.github.simclr4j.data.ResidentImages} keeps a set in memory
 * and {@link io.github.simclr4j.data.ImageStream} decodes one that is larger than it.
 */
package io.github.simclr4j.data;
