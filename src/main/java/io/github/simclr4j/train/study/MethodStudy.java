package io.github.simclr4j.train.study;

import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/** Every method but those with a teacher, supervised training included, by the width of the encoder. */
public final class MethodStudy implements Study {
    @Override
    public String name() {
        return "methods";
    }

    @Override
    public String summary() {
        return "Which method gives the best features for an encoder's size";
    }

    @Override
    public String source() {
        return "Chen et al. 2020, figure 1";
    }

    @Override
    public StudyPlan plan(OptionValues options) {
        Map<String, Map<String, String>> methods = new LinkedHashMap<>();
        Methods.all().stream().filter(MethodStudy::learnsFromImagesAlone)
                .forEach(m -> methods.put(m.name(), Map.of("method", m.name())));
        return StudyPlan.of(Chart.PARAMETERS, new Axis("method", methods), Axis.of("width", "0.125", "0.25", "0.5"));
    }

    /** A method that has a teacher names its file by an option. */
    private static boolean learnsFromImagesAlone(MethodFactory method) {
        return method.options().stream().noneMatch(o -> o.name().equals("teacher"));
    }
}
