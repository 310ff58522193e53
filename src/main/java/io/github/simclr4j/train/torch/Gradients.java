package io.github.simclr4j.train.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

public final class Gradients {
    private static final String TEXT = """
              def gradients(self: __torch__.Net,
                y: List[Tensor],
                w: List[Tensor]) -> List[Tensor]:
                g = torch.autograd.grad(y, w, None, None, False, True)
                r = annotate(List[Tensor], [])
                for i in range(torch.len(w)):
                  gi = g[i]
                  if torch.__isnot__(gi, None):
                    _1 = torch.append(r, torch.contiguous(unchecked_cast(Tensor, gi)))
                  else:
                    _2 = torch.append(r, torch.zeros_like(w[i]))
                return r
              def chained(self: __torch__.Net,
                y: List[Tensor],
                w: List[Tensor],
                d: List[Tensor]) -> List[Tensor]:
                o = annotate(List[Optional[Tensor]], [])
                for i in range(torch.len(d)):
                  _0 = torch.append(o, d[i])
                g = torch.autograd.grad(y, w, o, None, False, True)
                r = annotate(List[Tensor], [])
                for i in range(torch.len(w)):
                  gi = g[i]
                  if torch.__isnot__(gi, None):
                    _1 = torch.append(r, torch.contiguous(unchecked_cast(Tensor, gi)))
                  else:
                    _2 = torch.append(r, torch.zeros_like(w[i]))
                return r
            """.indent(-2).replaceAll("(?m)^", "  ");
    private static Script script;
    private Gradients() {}
    private static synchronized Script script() {
        if (script == null) {
            script = Script.of("  def gradients(self: __torch__.Net,\n    y: List[Tensor],\n    w: List[Tensor]) -> List[Tensor]:\n"
                + "    g = torch.autograd.grad(y, w, None, None, False, True)\n" + TAIL
                + "  def chained(self: __torch__.Net,\n    y: List[Tensor],\n    w: List[Tensor],\n    d: List[Tensor]) -> List[Tensor]:\n"
                + "    o = annotate(List[Optional[Tensor]], [])\n    for i in range(torch.len(d)):\n      _0 = torch.append(o, d[i])\n"
                + "    g = torch.autograd.grad(y, w, o, None, False, True)\n" + TAIL, Torch.engine().newBaseManager());
        }
        return script;
    }
    private static final String TAIL = "    r = annotate(List[Tensor], [])\n    for i in range(torch.len(w)):\n      gi = g[i]\n"
        + "      if torch.__isnot__(gi, None):\n        _1 = torch.append(r, torch.contiguous(unchecked_cast(Tensor, gi)))\n"
        + "      else:\n        _2 = torch.append(r, torch.zeros_like(w[i]))\n    return r\n";

    public static List<NDArray> of(NDList y, NDList d, Collection<NDArray> w, NDManager manager) {
        NDList in = new NDList();
        List<String> names = new ArrayList<>();
        add(in, names, y, "y[]");
        add(in, names, w, "w[]");
        if (d != null) add(in, names, d, "d[]");
        NDList out = script().run(d == null ? "gradients" : "chained", true, in);
        for (int i = 0; i < in.size(); i++) in.get(i).setName(names.get(i));
        out.forEach(a -> a.attach(manager));
        return new ArrayList<>(out);
    }
    private static void add(NDList in, List<String> names, Collection<NDArray> some, String name) {
        for (NDArray a : some) { names.add(a.getName()); a.setName(name); in.add(a); }
    }
    public static void add(List<NDArray> sums, NDList y, NDList d, Collection<NDArray> w, NDManager m) {
        List<NDArray> g = of(y, d, w, m);
        Torch.noGradient();
        for (int i = 0; i < g.size(); i++) sums.get(i).addi(g.get(i));
    }
    public static double clip(List<NDArray> gradients, double most) {
        double sum = 0;
        for (NDArray g : gradients) { try (NDArray s = g.square(); NDArray t = s.sum()) { sum += t.getDataType() == ai.djl.ndarray.types.DataType.FLOAT64 ? t.toDoubleArray()[0] : t.toFloatArray()[0]; } }
        double norm = Math.sqrt(sum);
        if (most > 0 && norm > most && Double.isFinite(norm)) gradients.forEach(g -> g.muli(most / norm));
        return norm;
    }
}
