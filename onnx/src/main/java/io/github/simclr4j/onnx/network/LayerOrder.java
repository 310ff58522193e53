// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;

/**
 * Sorts a graph along its data flow, independently of the order in which its nodes are listed. Inputs come before their consumers, and of
 * several inputs the one that depends on the most layers comes first. So two descriptions of the same network get the same order, even if
 * the operands of a sum are swapped in one of them.
 */
final class LayerOrder {
    private LayerOrder() {}

    private record Visit(int node, Iterator<Integer> inputs) {}

    /**
     * Returns the nodes that some results depend on, sorted.
     *
     * @param nodes all nodes in topological order
     * @param inputs returns the inputs of a node
     * @param counted returns whether a node is a layer
     * @param results the nodes of the results
     */
    static List<Integer> of(
            Iterable<Integer> nodes, IntFunction<List<Integer>> inputs, IntPredicate counted, List<Integer> results) {
        Map<Integer, Integer> depths = new HashMap<>();
        for (int node : nodes) {
            int depth = inputs.apply(node).stream()
                    .mapToInt(i -> depths.getOrDefault(i, 0))
                    .max()
                    .orElse(0);
            depths.put(node, depth + (counted.test(node) ? 1 : 0));
        }
        Comparator<Integer> deepest =
                Comparator.comparing((Integer i) -> depths.getOrDefault(i, 0)).reversed();
        List<Integer> order = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        // Not recursive, since a chain of nodes may be longer than the stack.
        Deque<Visit> open = new ArrayDeque<>();
        for (int result : results) {
            if (seen.add(result)) {
                open.push(new Visit(
                        result, inputs.apply(result).stream().sorted(deepest).iterator()));
            }
            while (!open.isEmpty()) {
                Visit visit = open.peek();
                if (!visit.inputs().hasNext()) {
                    order.add(open.pop().node());
                    continue;
                }
                int next = visit.inputs().next();
                if (seen.add(next)) {
                    open.push(new Visit(
                            next, inputs.apply(next).stream().sorted(deepest).iterator()));
                }
            }
        }
        return order;
    }
}
