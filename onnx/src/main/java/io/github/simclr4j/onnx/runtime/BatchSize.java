// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

/** Chooses the batch size if neither the file nor the caller sets it. */
final class BatchSize {
    private static final int BATCH_PIXELS = 8 * 224 * 224;
    private static final int BATCH_BYTES = 1 << 27;

    private BatchSize() {}

    /**
     * Returns the batch size. On a CPU the throughput hardly depends on the batch size until the batch becomes too large. A ResNet-18 of
     * width 0.25 (one thread, two busy cores) encoded:
     *
     * <ul>
     *   <li>images of 32x32: 1,400 to 1,900 per second in batches of 1 to 64, 830 in batches of 128, 650 in batches of 256
     *   <li>images of 224x224: 460 to 520 per second in batches of 1 to 16, 155 in batches of 32, 90 in batches of 64
     * </ul>
     *
     * <p>So a CPU gets at most 32 images and about the pixels of eight images of 224x224, but at least 4 images. GPUs need larger
     * batches. The buffers stay below 128 MiB.
     */
    static int of(GraphBinding binding, ImageInput input, RuntimeSettings runtime, EmbeddingOutputs outputs) {
        boolean cpu = switch (Provider.of(runtime.provider())) {
            case CPU, XNNPACK, OPENVINO -> true;
            default -> false;
        };
        int pixels = binding.preprocessing().height() * binding.preprocessing().width();
        int images = cpu
                ? Math.max(4, Math.min(32, BATCH_PIXELS / pixels))
                : Math.max(16, Math.min(256, 8 * BATCH_PIXELS / pixels));
        int room = BATCH_BYTES / Math.max(input.bytes(), 4 * outputs.size());
        return Math.max(1, Math.min(images, room));
    }
}
