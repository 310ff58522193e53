// SPDX-License-Identifier: Apache-2.0
/** An example program. */
package io.github.simclr4j.spark.example;
