/**
 * The methods: how views become a loss. A further one is a {@link io.github.simclr4j.train.method.MethodFactory} and its
 * registration, here or in another jar.
 */
package io.github.simclr4j.train.method;
