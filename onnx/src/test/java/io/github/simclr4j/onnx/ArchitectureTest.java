// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.List;

/** The rules for this module's packages. */
@AnalyzeClasses(packages = "io.github.simclr4j", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    /** Every package may depend on those before it. */
    private static final List<String> ORDER = List.of(
            "io.github.simclr4j.onnx.internal",
            "io.github.simclr4j.onnx.file",
            "io.github.simclr4j.onnx.network",
            "io.github.simclr4j.onnx.runtime",
            "io.github.simclr4j.onnx.convert");

    @ArchTest
    static void packagesAreFreeOfCycles(JavaClasses classes) {
        slices().matching("io.github.simclr4j.(**)").should().beFreeOfCycles().check(classes);
    }

    @ArchTest
    static void internalIsUsedInsideOnly(JavaClasses classes) {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.github.simclr4j.onnx..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.github.simclr4j.onnx.internal..")
                .check(classes);
    }

    @ArchTest
    static void internalOfImagesIsItsOwn(JavaClasses classes) {
        noClasses()
                .that()
                .resideInAPackage("io.github.simclr4j.onnx..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.github.simclr4j.images.internal..")
                .check(classes);
    }

    @ArchTest
    static void imagesDoNotKnowEncoders(JavaClasses classes) {
        noClasses()
                .that()
                .resideInAnyPackage("io.github.simclr4j.images..", "io.github.simclr4j.util..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.github.simclr4j.onnx..")
                .check(classes);
    }

    @ArchTest
    static void encodersKnowNoTrainer(JavaClasses classes) {
        noClasses()
                .that()
                .resideInAPackage("io.github.simclr4j.onnx..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("ai.djl..", "org.tribuo..")
                .check(classes);
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
                    .check(classes);
        }
    }

    @ArchTest
    static void publicClassesOfAPackageAreFreeOfCycles(JavaClasses classes) {
        JavaClasses api = classes.that(DescribedPredicate.describe(
                "public, and not internal",
                c -> topLevel(c).getModifiers().contains(JavaModifier.PUBLIC)
                        && !c.getPackageName().endsWith(".internal")));
        for (String name : ORDER) {
            slices().assignedFrom(new SliceAssignment() {
                        @Override
                        public SliceIdentifier getIdentifierOf(JavaClass c) {
                            return c.getPackageName().equals(name)
                                    ? SliceIdentifier.of(topLevel(c).getSimpleName())
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
                    .check(api);
        }
    }

    private static JavaClass topLevel(JavaClass c) {
        return c.getEnclosingClass().map(ArchitectureTest::topLevel).orElse(c);
    }
}
