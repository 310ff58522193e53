/**
 * The decoders of this library, one class a format. Nothing outside of the package names them: {@link
 * io.github.simclr4j.images.Images} finds them as services.
 */
package io.github.simclr4j.images.format;
