// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.train.network.Network;
import java.util.List;

/**
 * A network and the views that it embeds in one pass.
 *
 * @param network the network
 * @param views indices of the views, from 0
 * @param results names of the results of the network's graph that the loss uses
 * @param gradient {@code true} if the loss trains the network, {@code false} for a momentum encoder
 * @since 0.1.0
 */
public record Branch(Network network, List<Integer> views, List<String> results, boolean gradient) {
    /** Copies the lists. */
    public Branch {
        views = List.copyOf(views);
        results = List.copyOf(results);
    }

    /** Returns a branch whose network is trained by the loss. */
    public static Branch trained(Network network, String result, Integer... views) {
        return new Branch(network, List.of(views), List.of(result), true);
    }

    /** Returns a branch whose network gets no gradient. */
    public static Branch fixed(Network network, String result, Integer... views) {
        return new Branch(network, List.of(views), List.of(result), false);
    }
}
