// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import ai.djl.ndarray.NDArray;
import java.util.Map;

/**
 * The outcome of a step, without gradient.
 *
 * @param loss a scalar
 * @param rank for each anchor the number of other candidates that are at least as similar as its positive, [anchors]; null for a
 *     method without candidates
 * @param figures further scalars of the method, by name
 * @param anchors embeddings, [n, d]
 * @param positives the positive of each embedding, [n, d]
 * @since 0.1.0
 */
public record Outcome(NDArray loss, NDArray rank, Map<String, NDArray> figures, NDArray anchors, NDArray positives) {}
