package io.github.simclr4j.train.network;

/** How feature maps lie in memory. */
public enum MemoryLayout {
    /** Channel by channel, PyTorch's default. */
    CHANNELS_FIRST,
    /** Pixel by pixel, which convolutions compute faster on most CPUs and GPUs. */
    CHANNELS_LAST
}
