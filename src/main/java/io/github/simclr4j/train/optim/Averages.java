package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.train.torch.Script;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Exponential moving averages of tensors, as momentum encoders and averaged weights are. */
public final class Averages {
    /** Stays loaded until the JVM ends. */
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
     * Moves tensors towards others: {@code mine = momentum * mine + (1 - momentum) * theirs} (He et al. 2020, equation 2).
     *
     * @param mine by name, changed in place
     * @param theirs by name; further tensors stay out of it
     * @param momentum from 0, which copies, to 1
     * @throws IllegalArgumentException if one of the names is missing among theirs
     */
    public static void move(Map<String, NDArray> mine, Map<String, NDArray> theirs, double momentum) {
        List<NDArray> from = new ArrayList<>(mine.size());
        mine.keySet().forEach(name -> {
            NDArray other = theirs.get(name);
            if (other == null) {
                throw new IllegalArgumentException("There is no tensor " + name + " to move towards");
            }
            from.add(other);
        });
        SCRIPT.update("move", mine.values(), from, momentum);
    }
}
