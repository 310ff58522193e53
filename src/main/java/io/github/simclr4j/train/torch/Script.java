package io.github.simclr4j.train.torch;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

public final class Script implements AutoCloseable {
    private final Object block;
    private final NDManager manager;
    private Script(Object block, NDManager m) { this.block = block; this.manager = m; }
    public static Script of(String methods, NDManager manager) {
        NDManager own = manager.newSubManager();
        return new Script(Torch.compile(methods, own), own);
    }
    public NDList run(String method, boolean gradients, NDList inputs) {
        return Torch.run(block, method, gradients, inputs);
    }
    @Override
    public void close() { manager.close(); }
}
