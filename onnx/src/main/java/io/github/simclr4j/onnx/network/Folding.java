package io.github.simclr4j.onnx.network;

/** Folds a batch norm into the convolution or dense layer in front of it (Jacob et al., CVPR 2018, section 3.2). */
public final class Folding {
    private Folding() {}

    /**
     * Computes {@code w' = w * gamma / sqrt(var + eps)} and {@code b' = beta + (b - mean) * gamma / sqrt(var + eps)}.
     *
     * @param weights w, [out, ...]; not changed
     * @param bias b, [out]; b' is written into it
     * @param gamma the norm's scale, [out]
     * @param beta its shift, [out]
     * @param mean its running mean, [out]
     * @param var its running variance, [out]
     * @param epsilon eps
     * @return w'
     */
    public static float[] fold(
            float[] weights, float[] bias, float[] gamma, float[] beta, float[] mean, float[] var, float epsilon) {
        float[] w = weights.clone();
        int per = w.length / bias.length;
        for (int o = 0; o < bias.length; o++) {
            double f = gamma[o] / Math.sqrt((double) var[o] + epsilon);
            for (int i = 0; i < per; i++) {
                w[o * per + i] = (float) (w[o * per + i] * f);
            }
            bias[o] = (float) (beta[o] + (bias[o] - mean[o]) * f);
        }
        return w;
    }
}
