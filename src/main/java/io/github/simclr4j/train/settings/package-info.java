// SPDX-License-Identifier: Apache-2.0
/** Everything that decides the weights that a training ends with. */
package io.github.simclr4j.train.settings;
