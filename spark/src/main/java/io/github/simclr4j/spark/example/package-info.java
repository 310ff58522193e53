/** A small program to copy from. */
package io.github.simclr4j.spark.example;
