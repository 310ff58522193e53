/** Studies: grids of short pretrainings, each evaluated linearly, such as those of Chen et al. 2020. */
package io.github.simclr4j.train.study;
