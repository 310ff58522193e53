// SPDX-License-Identifier: Apache-2.0
/**
 * Helpers shared by the packages of this module. Not public API.
 */
package io.github.simclr4j.images.internal;
