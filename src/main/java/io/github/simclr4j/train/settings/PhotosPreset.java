// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.VisionTransformer;
import io.github.simclr4j.train.method.SimClr;

/**
 * For photographs: views of 224 pixels through a ResNet-50 of the published width, in batches of 256, with the optimizer of the
 * method's paper. Views of this size are bicubic crops with blur where the method has no others.
 *
 * @since 0.1.0
 */
public final class PhotosPreset implements Preset {
    private static final int SIDE = 224;
    /** Chen et al. 2020, table B.1, and He et al. 2020, section 4: what is published of a batch that is no cluster's. */
    private static final int BATCH = 256;
    /** On each of MoCo's eight GPUs there are as many images; with ResNet-50 they take 4.5 GB in bfloat16 on a CPU. */
    private static final int MICRO_BATCH = 32;

    @Override
    public String name() {
        return "photos";
    }

    @Override
    public String summary() {
        return "for photographs: views of " + SIDE + " pixels, resnet50 of width 1 with ImageNet's stem, batches of "
                + BATCH + " in" + " micro-batches of " + MICRO_BATCH
                + ", the optimizer of the method's paper (lars for simclr, sgd for mocov2), temperature 0.1 for simclr";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, He et al. 2020; vision transformers Chen, Xie and He 2021";
    }

    @Override
    public String encoder() {
        return "resnet50";
    }

    @Override
    public void defaults(PresetDefaults run) {
        photographs(run);
    }

    /** Sets what goes with photographs, whichever the encoder. */
    static void photographs(PresetDefaults run) {
        run.imageSize(SIDE)
                .batch(BATCH)
                .microBatch(MICRO_BATCH)
                .encoderOption("width", 1.0)
                .encoderOption("stem", "imagenet");
        if (EncoderFamilies.all().stream()
                .anyMatch(f -> f instanceof VisionTransformer && f.names().contains(run.encoder()))) {
            // Chen, Xie and He 2021, section 4.1 and code: 1.5e-4 * B / 256, decay 0.1.
            run.optimizer("adamw").baseLearningRate(1.5e-4).weightDecay(0.1);
        } else {
            run.optimizer(run.method().publishedOptimizer());
        }
        if (run.method() instanceof SimClr) {
            // Chen et al. 2020, table 5.
            run.option(SimClr.TEMPERATURE, 0.1);
        }
    }
}
