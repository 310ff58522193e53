// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.sun.management.OperatingSystemMXBean;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.tribuo.Example;
import org.tribuo.Prediction;
import org.tribuo.impl.ArrayExample;
import org.tribuo.interop.onnx.ImageTransformer;
import org.tribuo.interop.onnx.ONNXExternalModel;
import org.tribuo.interop.onnx.RegressorTransformer;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;

/**
 * What features take by hand: images decoded in a pool, made examples of pixels, and given to Tribuo's {@link ONNXExternalModel} with
 * its {@link ImageTransformer}; see docs/embedding-speed.md. Arguments: a folder of images, an encoder file written by
 * {@code simclr export --no-preprocessing}, the side of its images, cores, images a round, rounds.
 */
final class ByHandBench {
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private ByHandBench() {}

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[1]);
        int size = Integer.parseInt(args[2]);
        int cores = Integer.parseInt(args[3]);
        int images = Integer.parseInt(args[4]);
        int rounds = Integer.parseInt(args[5]);
        List<Path> all = Images.find(Path.of(args[0]));
        Preprocessing preprocessing = new Preprocessing(size);
        RegressionFactory factory = new RegressionFactory();
        String[] names = ImageFeatureExtractor.names("p", 3 * size * size);
        Map<String, Integer> features = new HashMap<>();
        for (String name : names) {
            features.put(name, features.size());
        }
        int dimension;
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file.toString())) {
            long[] shape =
                    ((TensorInfo) session.getOutputInfo().get("embedding").getInfo()).getShape();
            dimension = (int) shape[shape.length - 1];
        }
        Map<Regressor, Integer> outputs = new HashMap<>();
        for (int i = 0; i < dimension; i++) {
            outputs.put(new Regressor("h" + i, 0), i);
        }
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(cores);
        ExecutorService pool = Executors.newFixedThreadPool(cores);
        try (ONNXExternalModel<Regressor> model = ONNXExternalModel.createOnnxModel(
                factory,
                features,
                outputs,
                new ImageTransformer(3, size, size),
                new RegressorTransformer(),
                options,
                file,
                "image")) {
            for (int batch : new int[] {4, 32}) {
                model.setBatchSize(batch);
                double[] spent = new double[2];
                for (int round = -1; round < rounds; round++) {
                    long clock = System.nanoTime();
                    long cpu = PROCESS.getProcessCpuTime();
                    int done = 0;
                    for (int from = 0; from < images; from += batch) {
                        List<Future<Example<Regressor>>> some = new ArrayList<>();
                        for (int i = from; i < Math.min(images, from + batch); i++) {
                            Path path = all.get(i % all.size());
                            some.add(pool.submit(() -> example(preprocessing.apply(Images.read(path)), names)));
                        }
                        List<Example<Regressor>> examples = new ArrayList<>();
                        for (Future<Example<Regressor>> f : some) {
                            examples.add(f.get());
                        }
                        List<Prediction<Regressor>> predictions = model.predict(examples);
                        done += predictions.size();
                    }
                    if (done != images) {
                        throw new IllegalStateException(done + " of " + images);
                    }
                    if (round >= 0) {
                        spent[0] += (System.nanoTime() - clock) / 1e9;
                        spent[1] += (PROCESS.getProcessCpuTime() - cpu) / 1e9;
                    }
                }
                System.out.printf(
                        Locale.ROOT,
                        "by hand %s %s %d px, %d cores, batch %d: %.1f images/s of the clock, %.1f of the" + " CPU%n",
                        Path.of(args[0]).getFileName(),
                        file.getFileName(),
                        size,
                        cores,
                        batch,
                        rounds * images / spent[0],
                        rounds * images / spent[1]);
            }
        } finally {
            pool.shutdown();
        }
    }

    /** Channel by channel, normalised, as the encoder and {@link ImageTransformer} have it. */
    private static Example<Regressor> example(RgbImage image, String[] names) {
        byte[] rgb = image.rgb();
        int pixels = rgb.length / 3;
        double[] values = new double[rgb.length];
        for (int i = 0; i < pixels; i++) {
            for (int c = 0; c < 3; c++) {
                values[c * pixels + i] =
                        ((rgb[3 * i + c] & 255) / 255.0 - Preprocessing.MEAN) / Preprocessing.DEVIATION;
            }
        }
        return new ArrayExample<>(new Regressor("h0", 0), names, values);
    }
}
