// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import ai.djl.ndarray.NDArray;
import java.util.Collection;
import java.util.List;

/**
 * Checks of many tensors at once.
 *
 * @since 0.1.0
 */
public final class TensorChecks {
    /** x - x is 0 for finite numbers and NaN otherwise, which the sum propagates. The script stays loaded until the JVM exits. */
    private static final Script SCRIPT = Script.of("""
              def finite(self: __torch__.Net, tensors: List[Tensor]) -> bool:
                sums = annotate(List[Tensor], [])
                for i in range(torch.len(tensors)):
                  x = tensors[i]
                  _0 = torch.append(sums, torch.to(torch.sum(torch.sub(x, x)), 7))
                return bool(torch.eq(torch.sum(torch.stack(sums)), 0))
            """);

    private TensorChecks() {}

    /**
     * Tells whether all values of tensors are finite.
     *
     * @param tensors tensors on one device; those without floating point values count as finite
     */
    public static boolean finite(Collection<NDArray> tensors) {
        List<NDArray> floating =
                tensors.stream().filter(a -> a.getDataType().isFloating()).toList();
        return floating.isEmpty() || SCRIPT.update("finite", floating) != 0;
    }
}
