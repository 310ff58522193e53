// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.Pretraining;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The cells of each study: how many there are, and what they set. */
class StudiesTest {
    private static StudyPlan plan(String study, String... options) {
        Study s = Studies.named(study);
        return s.plan(OptionValues.of(s.options(), options.length == 0 ? Map.of() : Map.of(options[0], options[1])));
    }

    private static Cell cell(StudyPlan plan, String... levels) {
        List<Cell> found = plan.cells().stream()
                .filter(c -> List.copyOf(c.levels().values()).equals(List.of(levels)))
                .toList();
        assertEquals(1, found.size(), () -> String.join(", ", levels) + " in " + plan.cells());
        return found.get(0);
    }

    /** Everything that decides the weights, by the names in an encoder's file. */
    private static Map<String, String> described(Cell cell) throws IOException {
        Pretraining.Builder builder = Pretraining.builder().images(Small.labelled(20));
        assertEquals(Set.of(), CellSettings.apply(cell.settings(), builder), cell.title());
        try (Pretraining p = builder.build()) {
            PretrainSettings s = p.settings();
            return s.describe();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "augmentations, 49, HEAT_MAP",
        "color, 12, BARS",
        "heads, 9, BARS",
        "losses, 5, BARS",
        "temperature, 6, LINES",
        "batch, 16, LINES",
        "width, 16, PARAMETERS",
        "negatives, 8, BARS"
    })
    void eachStudyHasTheCellsOfThePaper(String study, int cells, Chart chart) {
        assertEquals(cells, plan(study).cells().size());
        assertEquals(chart, plan(study).chart());
    }

    @Test
    void everyMethodWithoutATeacherIsCompared() {
        Set<String> methods = Methods.all().stream()
                .filter(m -> m.teacher().isEmpty())
                .map(m -> m.name())
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(
                methods,
                plan("methods").cells().stream()
                        .map(c -> c.levels().get("method"))
                        .collect(Collectors.toCollection(TreeSet::new)));
        assertEquals(3 * methods.size(), plan("methods").cells().size());
    }

    static List<String> names() {
        return Studies.all().stream().map(Study::name).toList();
    }

    /** Two cells that train alike would be one cell too many; what tells them apart must reach the training. */
    @ParameterizedTest
    @MethodSource("names")
    void noTwoCellsTrainTheSame(String study) throws IOException {
        Set<Map<String, String>> all = new HashSet<>();
        for (Cell cell : plan(study).cells()) {
            assertTrue(all.add(described(cell)), cell.title());
        }
        assertEquals(
                plan(study).cells().size(),
                plan(study).cells().stream().map(Cell::folder).distinct().count());
    }

    @Test
    void augmentationsTransformOneViewOrBoth() throws IOException {
        assertEquals(
                "crop:0.08@1.0,flip@0.5,jitter:1.0@0.8,grey@0.2 | none",
                described(cell(plan("augmentations"), "crop", "colour")).get("training.views"));
        assertEquals(
                "jitter:1.0@0.8,grey@0.2,crop:0.08@1.0,flip@0.5 | none",
                described(cell(plan("augmentations"), "colour", "crop")).get("training.views"));
        assertEquals(
                "blur:2.0@0.5 | none",
                described(cell(plan("augmentations"), "blur", "blur")).get("training.views"));
        assertEquals(
                "rotate@0.75,cutout:0.5@1.0",
                described(cell(plan("augmentations", "branches", "both"), "rotate", "cutout"))
                        .get("training.views"));
        assertThrows(IllegalArgumentException.class, () -> plan("augmentations", "branches", "none"));
    }

    @Test
    void featuresBehindTheHeadAreThoseOfTheWholeHead() throws IOException {
        StudyPlan heads = plan("heads");
        assertEquals("none", described(cell(heads, "none", "none", "before")).get("training.head"));
        assertEquals(
                "2 layers, hidden as the encoder, out 128, batch norm, 2 kept",
                described(cell(heads, "128", "nonlinear", "behind")).get("training.head"));
        assertEquals(
                "1 layer, out 128, batch norm, 1 kept",
                described(cell(heads, "128", "linear", "behind")).get("training.head"));
        assertEquals(
                "2 layers, hidden as the encoder, out 512, batch norm",
                described(cell(heads, "512", "nonlinear", "before")).get("training.head"));
    }

    @Test
    void settingsReachTheTraining() throws IOException {
        Map<String, String> dot = described(cell(plan("temperature"), "100", "no"));
        assertEquals("100.0 true", dot.get("training.temperature") + " " + dot.get("training.dot_product"));
        Map<String, String> moco = described(cell(plan("negatives"), "MoCo v2, queue 1024"));
        assertEquals("mocov2 1024", moco.get("training.method") + " " + moco.get("training.queue"));
        assertEquals(
                "margin-semihard",
                described(cell(plan("losses"), "margin-semihard")).get("training.loss"));
        Map<String, String> batch = described(cell(plan("batch"), "20", "256"));
        assertEquals("20 256", batch.get("training.epochs") + " " + batch.get("training.batch"));
        assertTrue(described(cell(plan("methods"), "byol", "0.5"))
                .get("training.encoder")
                .contains("0.5"));
        assertTrue(described(cell(plan("color"), "AutoAugment", "contrastive"))
                .get("training.views")
                .contains("autoaugment"));
    }

    /** The encoder's options are those of the preset's encoder where no encoder is chosen. */
    @Test
    void aGridMayComparePresets() throws IOException {
        StudyPlan plan = new GridStudy(List.of(Axis.parse("preset=small,photos,serving"), Axis.parse("width=0.5,0.75")))
                .plan(OptionValues.of(List.of(), Map.of()));
        assertEquals(
                "resnet18 width 0.5 stem CIFAR",
                described(cell(plan, "small", "0.5")).get("training.encoder"));
        assertEquals(
                "resnet50 width 0.75 stem IMAGENET",
                described(cell(plan, "photos", "0.75")).get("training.encoder"));
        assertEquals(
                "mobilenetv3-large width 0.5 stem IMAGENET",
                described(cell(plan, "serving", "0.5")).get("training.encoder"));
    }

    @Test
    void aGridHasEveryCombination() {
        StudyPlan plan = new GridStudy(
                        List.of(Axis.parse("temperature=0.1,0.5"), Axis.parse("views=crop,flip;crop,grey ; none")))
                .plan(OptionValues.of(List.of(), Map.of()));
        assertEquals(List.of("temperature", "views"), plan.axes());
        assertEquals(6, plan.cells().size());
        assertEquals(
                Map.of("temperature", "0.1", "views", "crop,grey"),
                plan.cells().get(1).settings());
        assertEquals(Chart.LINES, plan.chart());
        for (String wrong : new String[] {"temperature", "=1", "temperature=", "temperature=1,,2", "temperature=1,1"}) {
            assertThrows(IllegalArgumentException.class, () -> Axis.parse(wrong), wrong);
        }
        assertThrows(IllegalArgumentException.class, () -> Axis.product(List.of()));
        assertThrows(
                IllegalArgumentException.class,
                () -> Axis.product(List.of(Axis.of("batch", "2"), Axis.of("batch", "4"))));
    }
}
