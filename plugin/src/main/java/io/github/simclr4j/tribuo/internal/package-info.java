// SPDX-License-Identifier: Apache-2.0
/** Helpers shared by the packages of this module. Not public API: they may change at any time. */
package io.github.simclr4j.tribuo.internal;
