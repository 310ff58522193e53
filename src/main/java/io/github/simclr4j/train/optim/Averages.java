// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.train.torch.Script;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Exponential moving averages of tensors, which momentum encoders and averaged weights use.
 *
 * @since 0.1.0
 */
public final class Averages {
    /** Stays loaded until the JVM exits. */
    private static final Script SCRIPT = Script.of("""
              def move(self: __torch__.Net, mine: List[Tensor], theirs: List[Tensor], momentum: float) -> float:
                if torch.eq(momentum, 0.):
                  torch._foreach_copy_(mine, theirs)
                else:
                  torch._foreach_mul_(mine, momentum)
                  torch._foreach_add_(mine, theirs, alpha=torch.sub(1., momentum))
                return 0.
            """);

    private Averages() {}

    /**
     * Updates an exponential moving average: {@code mine = momentum * mine + (1 - momentum) * theirs}
     * (<a href="https://arxiv.org/abs/1911.05722">He et al. 2020</a>, equation 2).
     *
     * @param mine the averages by name, changed in place
     * @param theirs the new values by name; tensors that {@code mine} lacks are ignored
     * @param momentum from 0, which copies, to 1, which keeps the averages
     * @throws IllegalArgumentException if {@code theirs} lacks a name of {@code mine}
     */
    public static void move(Map<String, NDArray> mine, Map<String, NDArray> theirs, double momentum) {
        List<NDArray> from = new ArrayList<>(mine.size());
        mine.keySet().forEach(name -> {
            NDArray other = theirs.get(name);
            if (other == null) {
                throw new IllegalArgumentException(
                        "Cannot update the moving average of " + name + ": the source has no such tensor");
            }
            from.add(other);
        });
        SCRIPT.update("move", mine.values(), from, momentum);
    }
}
