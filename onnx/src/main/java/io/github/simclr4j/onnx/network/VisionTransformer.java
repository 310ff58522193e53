// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.Layer.Activation.Function;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The family of vision transformers (<a href="https://arxiv.org/abs/2010.11929">Dosovitskiy et al., ICLR 2021</a>) in the sizes of DeiT
 * (<a href="https://arxiv.org/abs/2012.12877">Touvron et al., ICML 2021</a>, table 1), without a classifier. The features are the class
 * token after the last norm. The names of the weights and the initial weights are timm's.
 *
 * @since 0.1.0
 */
public final class VisionTransformer implements EncoderFamily {
    private static final Option<Integer> PATCH = Option.whole(
            "patch-size",
            16,
            1,
            256,
            "Side length of a patch in pixels, a divisor of the image size",
            "Dosovitskiy et al. 2021");

    /**
     * The architecture.
     *
     * @param name the name of the architecture
     * @param width length of a token
     * @param depth number of blocks
     * @param heads number of attention heads, a divisor of the width
     * @param patch side length of a patch in pixels
     */
    record Net(String name, int width, int depth, int heads, int patch) implements Architecture {
        private static final float EPSILON = 1e-6f;
        private static final Weight.Init START = new Weight.TruncatedNormal(0.02);

        static Net tiny(int patch) {
            return new Net("vit-tiny", 192, 12, 3, patch);
        }

        static Net small(int patch) {
            return new Net("vit-small", 384, 12, 6, patch);
        }

        @Override
        public Map<String, String> settings() {
            return Map.of(PATCH.key(), Integer.toString(patch));
        }

        @Override
        public int dimension() {
            return width;
        }

        @Override
        public String describe() {
            return name + " patch size " + patch;
        }

        @Override
        public LayerGraph graph(int imageSize) {
            if (imageSize < patch || imageSize % patch != 0) {
                throw new IllegalArgumentException(
                        "The image size must be a multiple of the patch size, " + patch + ", found " + imageSize);
            }
            int side = imageSize / patch;
            int tokens = side * side + 1;
            LayerGraph.Builder g = LayerGraph.builder();
            Node x = g.add(
                    new Layer.Conv(
                            "patch_embed.proj", 3, width, patch, patch, 0, 1, true, Weight.fanIn(3 * patch * patch)),
                    g.input(3, imageSize, imageSize));
            x = g.add(new Layer.Transpose(List.of(1, 0)), g.add(new Layer.Reshape(List.of(width, side * side)), x));
            x = g.add(
                    new Layer.Concat(0),
                    g.add(new Layer.Learned("cls_token", List.of(1, width), new Weight.Normal(1e-6))),
                    x);
            x = g.add(new Layer.Add(), x, g.add(new Layer.Learned("pos_embed", List.of(tokens, width), START)));
            for (int i = 0; i < depth; i++) {
                String block = "blocks." + i + ".";
                x = g.add(new Layer.Add(), x, attention(g, norm(g, x, block + "norm1"), block + "attn."));
                Node y = dense(g, norm(g, x, block + "norm2"), block + "mlp.fc1", 4 * width);
                x = g.add(new Layer.Add(), x, dense(g, g.activation(Function.GELU, y), block + "mlp.fc2", width));
            }
            x = g.add(new Layer.Slice(0, 0, 1), norm(g, x, "norm"));
            return g.output(LayerGraph.FEATURES, g.add(new Layer.Reshape(List.of(width)), x))
                    .build();
        }

        /**
         * Adds multi-head self-attention, softmax(Q K^T / sqrt(d)) V for each head
         * (<a href="https://arxiv.org/abs/1706.03762">Vaswani et al. 2017</a>, equation 1).
         */
        private Node attention(LayerGraph.Builder g, Node in, String name) {
            int tokens = in.shape().get(0);
            int d = width / heads;
            // [tokens, 3, heads, d] to [3, heads, tokens, d]
            Node all = g.add(new Layer.Reshape(List.of(tokens, 3, heads, d)), dense(g, in, name + "qkv", 3 * width));
            all = g.add(new Layer.Transpose(List.of(1, 2, 0, 3)), all);
            List<Node> parts = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                parts.add(
                        g.add(new Layer.Reshape(List.of(heads, tokens, d)), g.add(new Layer.Slice(0, i, i + 1), all)));
            }
            Node q = g.add(new Layer.Scale((float) (1 / Math.sqrt(d))), parts.get(0));
            Node k = g.add(new Layer.Transpose(List.of(0, 2, 1)), parts.get(1));
            Node weights = g.add(new Layer.Softmax(), g.add(new Layer.MatMul(), q, k));
            Node x = g.add(new Layer.Transpose(List.of(1, 0, 2)), g.add(new Layer.MatMul(), weights, parts.get(2)));
            return dense(g, g.add(new Layer.Reshape(List.of(tokens, width)), x), name + "proj", width);
        }

        private static Node norm(LayerGraph.Builder g, Node x, String name) {
            return g.add(new Layer.LayerNorm(name, x.shape().get(1), EPSILON), x);
        }

        private static Node dense(LayerGraph.Builder g, Node x, String name, int out) {
            return g.add(new Layer.Dense(name, x.shape().get(1), out, true, START), x);
        }
    }

    @Override
    public List<String> names() {
        return List.of("vit-tiny", "vit-small");
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2010.11929";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(PATCH);
    }

    @Override
    public Architecture create(String name, OptionValues values) {
        int patch = values.get(PATCH);
        return name.equals("vit-tiny") ? Net.tiny(patch) : Net.small(patch);
    }

    /** Derives the patch size and the width from the first convolution and the first dense layer, which belongs to attention. */
    @Override
    public List<Architecture> candidates(List<List<Integer>> shapes) {
        if (shapes.size() < 2
                || shapes.get(0).size() != 4
                || !PATCH.valid().test(shapes.get(0).get(3))) {
            return List.of();
        }
        int patch = shapes.get(0).get(3);
        return Stream.of(Net.tiny(patch), Net.small(patch))
                .filter(n -> shapes.get(1).equals(List.of(3 * n.width(), n.width())))
                .map(n -> (Architecture) n)
                .toList();
    }
}
