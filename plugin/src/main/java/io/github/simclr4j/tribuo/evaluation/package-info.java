/**
 * How good an encoder is: protocols that are found by name, and what they measure and return. A further protocol is one class
 * that implements {@link io.github.simclr4j.tribuo.evaluation.Protocol} and a line in a file of its jar.
 */
package io.github.simclr4j.tribuo.evaluation;
