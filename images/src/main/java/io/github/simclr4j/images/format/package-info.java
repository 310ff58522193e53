// SPDX-License-Identifier: Apache-2.0
/**
 * The image decoders of this library, one class per format. {@link io.github.simclr4j.images.Images} finds them as services, so no other
 * package refers to them.
 */
package io.github.simclr4j.images.format;
