/** Trainers of Tribuo's that learn from examples without labels as well, and what a trainer of one's own needs. */
package io.github.simclr4j.tribuo.training;
