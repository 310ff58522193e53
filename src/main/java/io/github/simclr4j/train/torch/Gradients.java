package io.github.simclr4j.train.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Gradients of what was computed under {@link Torch#recording} or by {@link Script#run} with gradients. They come back as
 * tensors: nothing adds up in the weights, and nothing is to be cleared. The graph is used up. Threads may take gradients of
 * separate graphs at once, unless they share weights.
 */
public final class Gradients {
    /**
     * A gradient has the strides of the kernel that computed it, which optimizers that walk through memory must not see. A weight
     * that the outputs don't depend on has none, and gets zeros.
     */
    private static final String TEXT = """
              def of(self: __torch__.Net, outputs: List[Tensor], weights: List[Tensor]) -> List[Tensor]:
                g = torch.autograd.grad(outputs, weights, None, None, False, True)
            %1$s
              def chained(self: __torch__.Net, outputs: List[Tensor], weights: List[Tensor], given: List[Tensor]) -> List[Tensor]:
                o = annotate(List[Optional[Tensor]], [])
                for i in range(torch.len(given)):
                  _0 = torch.append(o, given[i])
                g = torch.autograd.grad(outputs, weights, o, None, False, True)
            %1$s
              def add(self: __torch__.Net, sums: List[Tensor], more: List[Tensor]) -> float:
                torch._foreach_add_(sums, more)
                return 0.
              def clip(self: __torch__.Net, gradients: List[Tensor], most: float) -> float:
                norms = torch._foreach_norm(gradients)
                norm = float(torch.norm(torch.to(torch.stack(norms), 7)))
                if most > 0.:
                  long = bool(torch.lt(most, norm))
                else:
                  long = False
                if long:
                  finite = torch.isfinite(norm)
                else:
                  finite = False
                if finite:
                  torch._foreach_mul_(gradients, torch.div(most, norm))
                return norm
            """.formatted("""
                r = annotate(List[Tensor], [])
                for i in range(torch.len(weights)):
                  gi = g[i]
                  if torch.__isnot__(gi, None):
                    _1 = torch.append(r, torch.contiguous(unchecked_cast(Tensor, gi)))
                  else:
                    _2 = torch.append(r, torch.zeros_like(weights[i]))
                return r""".indent(4).stripTrailing());

    /** Stays loaded until the JVM ends. */
    private static final Script SCRIPT = Script.of(TEXT);

    private Gradients() {}

    /**
     * Returns the gradients with respect to some weights, by their order.
     *
     * @param outputs what is differentiated; none of them is itself a weight
     * @param given the gradients with respect to the outputs, by the chain rule; null where the output is one scalar
     * @param weights tensors that require gradients
     * @param manager owns the gradients
     */
    public static List<NDArray> of(NDList outputs, NDList given, Collection<NDArray> weights, NDManager manager) {
        NDList inputs = new NDList();
        List<String> names = new ArrayList<>();
        add(inputs, names, outputs, "outputs[]");
        add(inputs, names, weights, "weights[]");
        if (given != null) {
            add(inputs, names, given, "given[]");
        }
        try {
            NDList gradients = SCRIPT.run(given == null ? "of" : "chained", true, inputs);
            gradients.attach(manager);
            return gradients;
        } finally {
            for (int i = 0; i < names.size(); i++) {
                inputs.get(i).setName(names.get(i));
            }
        }
    }

    private static void add(NDList inputs, List<String> names, Collection<NDArray> some, String name) {
        for (NDArray a : some) {
            names.add(a.getName());
            a.setName(name);
            inputs.add(a);
        }
    }

    /**
     * Adds gradients to sums, as micro-batches do.
     *
     * @param sums by the order of the weights
     * @param outputs as for {@link #of}
     * @param given as for {@link #of}
     * @param weights as for {@link #of}
     * @param manager owns what is made on the way
     */
    public static void add(
            List<NDArray> sums, NDList outputs, NDList given, Collection<NDArray> weights, NDManager manager) {
        try (NDList gradients = new NDList(of(outputs, given, weights, manager))) {
            SCRIPT.update("add", sums, gradients);
        }
    }

    /**
     * Adds gradients to sums, as those of several devices are.
     *
     * @param sums changed in place
     * @param more likewise by the order of the weights, and on the same device
     */
    public static void add(List<NDArray> sums, List<NDArray> more) {
        SCRIPT.update("add", sums, more);
    }

    /**
     * Shortens gradients that are too long together, to the largest norm (Pascanu et al. 2013, algorithm 1).
     *
     * @param gradients changed in place
     * @param most the largest norm of all together; 0 changes nothing
     * @return the norm before; where it isn't finite, the gradients stay
     */
    public static double clip(Collection<NDArray> gradients, double most) {
        return SCRIPT.update("clip", gradients, most);
    }
}
