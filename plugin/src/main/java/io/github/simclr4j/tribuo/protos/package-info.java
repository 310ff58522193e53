/** Generated from {@code protos/simclr4j-tribuo.proto}: how models are saved. */
package io.github.simclr4j.tribuo.protos;
