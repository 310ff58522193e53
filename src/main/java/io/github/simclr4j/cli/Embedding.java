package io.github.simclr4j.cli;

/** What the commands that run an encoder share. */
final class Embedding {
    private Embedding() {}

    /** ONNX Runtime's library here has the CPU alone: a GPU that is asked for must not silently become a CPU. */
    static void onCpu(Common common) {
        if (common.device.startsWith("gpu")) {
            throw new IllegalStateException("--device " + common.device
                    + ": encoders run on the CPU in this version; only pretrain uses a GPU");
        }
    }
}
