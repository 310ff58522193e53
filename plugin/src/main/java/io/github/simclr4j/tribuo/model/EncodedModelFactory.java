// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.provenance.ModelProvenance;

/** Creates {@link EncodedModel}s: opens the encoder and checks that it fits the model. A failure leaves no session open. */
final class EncodedModelFactory {
    private EncodedModelFactory() {}

    /** A check of an encoder that was opened from its file without further settings. */
    @FunctionalInterface
    interface Check {
        void of(OnnxEncoder alone) throws IOException;
    }

    /** Creates a new model; {@code bytes} are the encoder file's. */
    static <T extends Output<T>> EncodedModel<T> create(
            OutputFactory<T> factory, Model<T> model, EncoderFile file, byte[] bytes, Check check) throws IOException {
        return open(
                model,
                file,
                bytes,
                encoder -> {
                    EncoderChecks.oneEncoder(model, encoder, file.path());
                    EncoderChecks.settings(model, encoder, file.path());
                    check.of(encoder);
                },
                encoder ->
                        new EncodedModel<>(model.getName(), provenance(model, encoder), factory, model, file, encoder));
    }

    /** Restores a saved model; {@code sha256} is its encoder's. */
    static <T extends Output<T>> EncodedModel<T> restore(
            OutputFactory<T> factory, Model<T> model, EncoderFile file, String sha256, ModelDataCarrier<?> saved)
            throws IOException {
        return open(
                model,
                file,
                file.bytes(sha256),
                encoder -> {},
                encoder -> new EncodedModel<>(saved.name(), saved.provenance(), factory, model, file, encoder));
    }

    private interface Maker<T extends Output<T>> {
        EncodedModel<T> of(OnnxEncoder encoder);
    }

    private static <T extends Output<T>> EncodedModel<T> open(
            Model<T> model, EncoderFile file, byte[] bytes, Check check, Maker<T> maker) throws IOException {
        OnnxEncoder encoder = file.open(bytes);
        try {
            EncoderChecks.features(model, encoder, file.path());
            check.of(encoder);
            return maker.of(encoder);
        } catch (IOException | RuntimeException e) {
            encoder.close();
            throw e;
        }
    }

    private static ModelProvenance provenance(Model<?> model, OnnxEncoder encoder) {
        ModelProvenance inner = model.getProvenance();
        Map<String, Provenance> instance =
                new HashMap<>(inner.getInstanceProvenance().getMap());
        encoder.metadata().forEach((key, value) -> put(instance, EncodedModel.ENCODER_PREFIX + key, value));
        put(instance, EncodedModel.ENCODER_HASH, encoder.sha256());
        put(instance, EncodedModel.PREPROCESSING, encoder.preprocessing().rule());
        put(instance, EncodedModel.INNER_CLASS, model.getClass().getName());
        return new ModelProvenance(
                EncodedModel.class.getName(),
                inner.getTrainingTime(),
                inner.getDatasetProvenance(),
                inner.getTrainerProvenance(),
                instance);
    }

    private static void put(Map<String, Provenance> map, String key, String value) {
        map.put(key, new StringProvenance(key, value));
    }
}
