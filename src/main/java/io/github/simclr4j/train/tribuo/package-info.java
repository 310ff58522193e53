/** The trainer as Tribuo's trainers and OLCUT components. */
package io.github.simclr4j.train.tribuo;
