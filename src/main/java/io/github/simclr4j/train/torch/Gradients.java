// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Gradients of computations under {@link Torch#recording} or in {@link Script#run} with gradients.
 *
 * <p>They are returned as tensors: nothing accumulates in the weights, so nothing needs to be cleared. Taking gradients consumes
 * the graph. Several threads may take gradients of separate graphs at once, unless the graphs share weights.
 *
 * @since 0.1.0
 */
public final class Gradients {
    /**
     * The script. It makes gradients contiguous, because they have the strides of the kernel that computed them, while fused optimizers
     * iterate over memory. A weight that the outputs do not depend on has no gradient and gets zeros.
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

    /** Stays loaded until the JVM exits. */
    private static final Script SCRIPT = Script.of(TEXT);

    private Gradients() {}

    /**
     * Returns the gradients with respect to weights, in their order.
     *
     * @param outputs the tensors to differentiate; none of them is itself a weight
     * @param given gradients with respect to the outputs, for the chain rule; null for a single scalar output
     * @param weights tensors that require gradients
     * @param manager owner of the gradients
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
     * Adds gradients to sums, for gradient accumulation over micro-batches.
     *
     * @param sums one per weight, changed in place
     * @param outputs as for {@link #of}
     * @param given as for {@link #of}
     * @param weights as for {@link #of}
     * @param manager owner of intermediate tensors
     */
    public static void add(
            List<NDArray> sums, NDList outputs, NDList given, Collection<NDArray> weights, NDManager manager) {
        try (NDList gradients = new NDList(of(outputs, given, weights, manager))) {
            SCRIPT.update("add", sums, gradients);
        }
    }

    /**
     * Adds gradients to sums, for the reduction over several devices.
     *
     * @param sums one per weight, changed in place
     * @param more one per weight, on the same device
     */
    public static void add(List<NDArray> sums, List<NDArray> more) {
        SCRIPT.update("add", sums, more);
    }

    /**
     * Clips gradients to a global norm (<a href="https://arxiv.org/abs/1211.5063">Pascanu et al. 2013</a>, algorithm 1).
     *
     * @param gradients changed in place
     * @param most largest norm of all gradients together; 0 changes nothing
     * @return the norm before clipping; if it is not finite, the gradients are left unchanged
     */
    public static double clip(Collection<NDArray> gradients, double most) {
        return SCRIPT.update("clip", gradients, most);
    }
}
