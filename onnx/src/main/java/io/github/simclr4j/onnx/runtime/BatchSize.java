package io.github.simclr4j.onnx.runtime;

/** Chooses how many images go through a graph at once, where neither the file nor the user says it. */
final class BatchSize {
    private static final int BATCH_PIXELS = 8 * 224 * 224;
    private static final int BATCH_BYTES = 1 << 27;

    private BatchSize() {}

    /**
     * On a CPU the rate hardly depends on the batch until it gets worse: a ResNet-18 of a quarter of the width made 1,400 to
     * 1,900 images of 32x32 a second in batches of 1 to 64, 830 and 650 of 128 and 256; of 224x224 it made 460 to 520 in
     * batches of 1 to 16, 155 and 90 of 32 and 64 (one thread, two busy cores). So at most 32 images, and about the pixels of
     * eight of 224x224, but some work for each thread. A GPU wants more at once. Buffers stay below 128 MiB.
     */
    static int of(GraphBinding binding, ImageInput input, RuntimeSettings runtime, EmbeddingOutput output) {
        boolean cpu = switch (Provider.of(runtime.provider())) {
            case CPU, XNNPACK, OPENVINO -> true;
            default -> false;
        };
        int pixels = binding.preprocessing().height() * binding.preprocessing().width();
        int images = cpu
                ? Math.max(4, Math.min(32, BATCH_PIXELS / pixels))
                : Math.max(16, Math.min(256, 8 * BATCH_PIXELS / pixels));
        int room = BATCH_BYTES / Math.max(input.bytes(), 4 * output.size());
        return Math.max(1, Math.min(images, room));
    }
}
