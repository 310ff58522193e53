/** An example program. */
package io.github.simclr4j.spark.example;
