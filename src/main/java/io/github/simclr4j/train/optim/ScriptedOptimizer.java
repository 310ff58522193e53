// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.torch.Script;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An optimizer whose step is one TorchScript call per group of weights that are treated alike. */
abstract class ScriptedOptimizer implements Optimizer {
    /**
     * The optimizer steps. libtorch's fused kernels iterate over the memory of weight, gradient and state in parallel and check
     * neither strides nor sizes, so the script makes the gradients contiguous first. It stays loaded until the JVM exits.
     */
    static final Script SCRIPT = Script.of("""
              def prepared(self: __torch__.Net, w: List[Tensor], g: List[Tensor]) -> List[Tensor]:
                d = annotate(List[Tensor], [])
                for i in range(torch.len(w)):
                  if torch.__not__(torch.is_same_size(g[i], w[i])):
                    ops.prim.RaiseException("A gradient has another shape than its weight")
                  _0 = torch.append(d, torch.contiguous(g[i]))
                return d
              def sgd(self: __torch__.Net, w: List[Tensor], g: List[Tensor], v: List[Tensor],
                  rate: float, momentum: float, decay: float, nesterov: bool) -> float:
                d = (self).prepared(w, g, )
                torch._fused_sgd_(w, d, v, weight_decay=decay, momentum=momentum, lr=rate, dampening=0., nesterov=nesterov,
                    maximize=False, is_first_step=False)
                return 0.
              def adam(self: __torch__.Net, w: List[Tensor], g: List[Tensor], mean: List[Tensor], square: List[Tensor],
                  step: Tensor, rate: float, beta1: float, beta2: float, epsilon: float, decay: float, decoupled: bool) -> float:
                d = (self).prepared(w, g, )
                none = annotate(List[Tensor], [])
                steps = annotate(List[Tensor], [])
                for i in range(torch.len(w)):
                  _0 = torch.append(steps, step)
                if decoupled:
                  torch._fused_adamw_(w, d, mean, square, none, steps, lr=rate, beta1=beta1, beta2=beta2, weight_decay=decay,
                      eps=epsilon, amsgrad=False, maximize=False)
                else:
                  torch._fused_adam_(w, d, mean, square, none, steps, lr=rate, beta1=beta1, beta2=beta2, weight_decay=decay,
                      eps=epsilon, amsgrad=False, maximize=False)
                return 0.
              def lars(self: __torch__.Net, w: List[Tensor], g: List[Tensor], v: List[Tensor],
                  rate: float, momentum: float, decay: float, trust: float) -> float:
                d = torch._foreach_mul(w, decay)
                torch._foreach_add_(d, g)
                a = torch.stack(torch._foreach_norm(w))
                b = torch.stack(torch._foreach_norm(d))
                usable = torch.logical_and(torch.gt(a, 0), torch.gt(b, 0))
                ratio = torch.where(usable, torch.div(torch.mul(a, trust), b), torch.ones_like(a))
                torch._foreach_mul_(d, torch.unbind(torch.mul(ratio, rate)))
                torch._foreach_mul_(v, momentum)
                torch._foreach_add_(v, d)
                torch._foreach_sub_(w, v)
                return 0.
              def plain(self: __torch__.Net, w: List[Tensor], g: List[Tensor], v: List[Tensor],
                  rate: float, momentum: float) -> float:
                torch._foreach_mul_(v, momentum)
                torch._foreach_add_(v, g, alpha=rate)
                torch._foreach_sub_(w, v)
                return 0.
            """);

    private final OptimizerSettings settings;
    private final NDManager manager;
    private final int count;
    private final List<Group> groups = new ArrayList<>();
    private final Map<String, NDArray> state = new LinkedHashMap<>();

    /**
     * Weights that are treated alike.
     *
     * @param plain whether the weights are exempt from weight decay and layer adaptation
     * @param constantRate whether the weights always use the learning rate of the settings
     * @param places indices of the weights among all weights
     * @param weights the weights
     * @param state for each kind of state, one tensor per weight
     */
    record Group(
            boolean plain,
            boolean constantRate,
            List<Integer> places,
            List<NDArray> weights,
            List<List<NDArray>> state) {}

    /**
     * Creates the state as zeros of the shapes and data types of the weights.
     *
     * @param kinds kinds of state, each the suffix of a tensor's name
     */
    ScriptedOptimizer(OptimizerSettings settings, Map<String, NDArray> weights, WeightRules rules, String... kinds) {
        this.settings = settings;
        count = weights.size();
        // The manager of the weights closes it if anything below fails.
        manager = weights.values().iterator().next().getManager().newSubManager();
        for (Map.Entry<String, NDArray> e : weights.entrySet()) {
            NDArray w = e.getValue();
            Group group = group(
                    rules.plain().test(e.getKey(), w), rules.constantRate().test(e.getKey()), kinds.length);
            group.places().add(state.size() / kinds.length);
            group.weights().add(w);
            for (int k = 0; k < kinds.length; k++) {
                NDArray zeros = manager.zeros(w.getShape(), w.getDataType());
                group.state().get(k).add(zeros);
                state.put(e.getKey() + "." + kinds[k], zeros);
            }
        }
    }

    private Group group(boolean plain, boolean constantRate, int kinds) {
        for (Group g : groups) {
            if (g.plain() == plain && g.constantRate() == constantRate) {
                return g;
            }
        }
        List<List<NDArray>> states = new ArrayList<>();
        for (int k = 0; k < kinds; k++) {
            states.add(new ArrayList<>());
        }
        groups.add(new Group(plain, constantRate, new ArrayList<>(), new ArrayList<>(), states));
        return groups.get(groups.size() - 1);
    }

    /** Adds a float32 state tensor with the single value 0 that belongs to no weight. */
    final NDArray number(String name) {
        NDArray zero = manager.zeros(new Shape(1), DataType.FLOAT32);
        state.put(name, zero);
        return zero;
    }

    /** Returns the settings. */
    final OptimizerSettings settings() {
        return settings;
    }

    @Override
    public void step(Collection<NDArray> gradients, double rate) {
        if (gradients.size() != count) {
            throw new IllegalArgumentException("Expected " + count + " gradients, found " + gradients.size());
        }
        List<NDArray> all = List.copyOf(gradients);
        for (Group group : groups) {
            List<NDArray> some = group.places().stream().map(all::get).toList();
            move(group, some, group.constantRate() ? settings.rate() : rate);
        }
    }

    /** Updates the weights of a group. */
    abstract void move(Group group, List<NDArray> gradients, double rate);

    @Override
    public final Map<String, NDArray> state() {
        return state;
    }

    @Override
    public final void close() {
        manager.close();
    }
}
