// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Describes the images of an evaluation. */
final class EvaluationData {
    private EvaluationData() {}

    /** Returns the paths, counts and fingerprints of the training and test images. */
    static Map<String, Object> of(ProtocolContext context) throws IOException {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("train", of(context.train()));
        data.put("test", of(context.test()));
        return data;
    }

    private static Map<String, Object> of(LabelledImages images) throws IOException {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("path", images.path().toString());
        facts.put("images", images.source().size());
        facts.put("fingerprint", images.source().fingerprint());
        return facts;
    }
}
