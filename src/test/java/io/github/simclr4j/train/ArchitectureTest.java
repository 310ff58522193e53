// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.awt.image.RenderedImage;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;

/** The rules for this module's packages. */
@AnalyzeClasses(packages = "io.github.simclr4j", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String TRAIN = "io.github.simclr4j.train";
    /** Each package may depend on those before it. */
    private static final List<String> ORDER = List.of(
            TRAIN + ".torch",
            TRAIN + ".data",
            TRAIN + ".teacher",
            TRAIN + ".augment",
            TRAIN + ".network",
            TRAIN + ".loss",
            TRAIN + ".method",
            TRAIN + ".optim",
            TRAIN + ".device",
            TRAIN + ".monitor",
            TRAIN + ".settings",
            TRAIN + ".loop",
            TRAIN + ".tracking",
            TRAIN + ".bench",
            TRAIN,
            TRAIN + ".study",
            TRAIN + ".tribuo");

    /** Configuration files have these names, so that they can't be moved behind what they stand for. */
    private static final DescribedPredicate<JavaClass> OLD_NAMES = describe(
            "old names",
            c -> Set.of(TRAIN + ".FineTuneTrainer", TRAIN + ".DistillationTrainer")
                    .contains(c.getName()));

    @ArchTest
    static void packagesAreFreeOfCycles(JavaClasses classes) {
        slices().matching("io.github.simclr4j.(**)").should().beFreeOfCycles().check(classes.that(not(OLD_NAMES)));
    }

    @ArchTest
    static void packagesDependOneWay(JavaClasses classes) {
        for (int i = 0; i + 1 < ORDER.size(); i++) {
            noClasses()
                    .that()
                    .resideInAPackage(ORDER.get(i))
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(ORDER.subList(i + 1, ORDER.size()).toArray(String[]::new))
                    .allowEmptyShould(true)
                    .check(classes.that(not(OLD_NAMES)));
        }
    }

    /** A killed process would leave its temporary file behind. */
    @ArchTest
    static void imagesAreEncodedInMemory(JavaClasses classes) {
        noClasses()
                .should()
                .callMethod(ImageIO.class, "write", RenderedImage.class, String.class, OutputStream.class)
                .check(classes);
    }

    @ArchTest
    static void nothingUsesAnOldName(JavaClasses classes) {
        noClasses().should().dependOnClassesThat(OLD_NAMES).check(classes.that(not(OLD_NAMES)));
    }

    @ArchTest
    static void publicClassesOfAPackageAreFreeOfCycles(JavaClasses classes) {
        List<String> cycles = new ArrayList<>();
        for (String name : ORDER) {
            cycles.addAll(slices().assignedFrom(new SliceAssignment() {
                        @Override
                        public SliceIdentifier getIdentifierOf(JavaClass c) {
                            JavaClass top = topLevel(c);
                            return c.getPackageName().equals(name)
                                            && top.getModifiers().contains(JavaModifier.PUBLIC)
                                    ? SliceIdentifier.of(top.getSimpleName())
                                    : SliceIdentifier.ignore();
                        }

                        @Override
                        public String getDescription() {
                            return "public classes of " + name;
                        }
                    })
                    .should()
                    .beFreeOfCycles()
                    .allowEmptyShould(true)
                    .evaluate(classes)
                    .getFailureReport()
                    .getDetails());
        }
        assertEquals(List.of(), cycles);
    }

    @ArchTest
    static void onlyTheTorchBackendAndItsNeighboursKnowDjl(JavaClasses classes) {
        noClasses()
                .that()
                .resideInAnyPackage(
                        TRAIN + ".data..",
                        TRAIN + ".teacher..",
                        TRAIN + ".augment..",
                        TRAIN + ".settings..",
                        TRAIN + ".tracking..",
                        TRAIN + ".bench..",
                        TRAIN,
                        TRAIN + ".study..",
                        TRAIN + ".tribuo..",
                        "io.github.simclr4j.tribuo..",
                        "io.github.simclr4j.onnx..",
                        "io.github.simclr4j.images..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl..")
                .check(classes);
    }

    @ArchTest
    static void oneClassCallsTheNativeInterface(JavaClasses classes) {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(TRAIN + ".torch.Torch")
                .and()
                .resideOutsideOfPackage("ai.djl..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl.pytorch.jni..")
                .check(classes);
    }

    @ArchTest
    static void theLibraryHasNoCommandLine(JavaClasses classes) {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("picocli..", "me.tongfei..", "io.github.simclr4j.cli..")
                .check(classes);
    }

    @ArchTest
    static void internalOfOtherModulesIsTheirOwn(JavaClasses classes) {
        noClasses()
                .that()
                .resideInAPackage(TRAIN + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.simclr4j.images.internal..",
                        "io.github.simclr4j.onnx.internal..",
                        "io.github.simclr4j.tribuo.internal..")
                .check(classes);
    }

    private static JavaClass topLevel(JavaClass c) {
        return c.getEnclosingClass().map(ArchitectureTest::topLevel).orElse(c);
    }
}
