/** Protocol buffer messages of saved models, generated from {@code protos/simclr4j-tribuo.proto}. */
package io.github.simclr4j.tribuo.protos;
