// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.study.Axis;
import io.github.simclr4j.train.study.Cell;
import io.github.simclr4j.train.study.CellResult;
import io.github.simclr4j.train.study.GridStudy;
import io.github.simclr4j.train.study.Studies;
import io.github.simclr4j.train.study.Study;
import io.github.simclr4j.train.study.StudyPlan;
import io.github.simclr4j.train.study.StudyResult;
import io.github.simclr4j.util.OptionValues;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The pictures of studies. */
class StudyChartTest {
    static Stream<Study> studies() {
        return Stream.concat(
                Studies.all().stream(),
                Stream.of(
                        new GridStudy(List.of(
                                Axis.of("epochs", "1", "2", "30"),
                                Axis.of("head", "none", "linear"),
                                Axis.of("batch", "2", "4"))),
                        new GridStudy(List.of(Axis.of("optimizer", "lars", "sgd"))),
                        new GridStudy(List.of(Axis.of("temperature", "0.5")))));
    }

    private static StudyResult result(Study study, IntPredicate done) {
        StudyPlan plan = study.plan(OptionValues.of(study.options(), Map.of()));
        List<CellResult> cells = new ArrayList<>();
        for (int i = 0; i < plan.cells().size(); i++) {
            Cell cell = plan.cells().get(i);
            cells.add(
                    done.test(i)
                            ? new CellResult(
                                    cell,
                                    new CellResult.Measured(
                                            0.2 + 0.6 * i / plan.cells().size(),
                                            1,
                                            1000L << i % 5,
                                            8,
                                            1,
                                            1,
                                            1,
                                            "",
                                            Map.of()),
                                    null)
                            : new CellResult(cell, null, i % 2 == 0 ? "it failed" : null));
        }
        return new StudyResult(
                study.name(), study.summary(), study.source(), plan.chart(), plan.axes(), Map.of(), Map.of(), cells);
    }

    private static int colours(byte[] png) throws IOException {
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
        assertEquals(1000, image.getWidth());
        Set<Integer> colours = new HashSet<>();
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                colours.add(image.getRGB(x, y));
            }
        }
        return colours.size();
    }

    /** A picture is drawn after each cell, whichever are done. */
    @ParameterizedTest
    @MethodSource("studies")
    void everyStudyIsDrawnWholeAndInPart(Study study) throws IOException {
        for (IntPredicate done : List.<IntPredicate>of(i -> true, i -> i == 0, i -> i % 3 == 0)) {
            assertTrue(colours(StudyChart.png(result(study, done))) > 20);
        }
    }
}
