// SPDX-License-Identifier: Apache-2.0
/**
 * Studies: grids of short pretrainings with linear evaluation, such as those of
 * <a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>.
 */
package io.github.simclr4j.train.study;
