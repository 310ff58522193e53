// SPDX-License-Identifier: Apache-2.0
/**
 * Reads image files and preprocesses images for networks. The package depends only on {@code io.github.simclr4j.util}.
 */
package io.github.simclr4j.images;
