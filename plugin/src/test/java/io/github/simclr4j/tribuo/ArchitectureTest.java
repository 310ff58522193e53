// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import org.junit.jupiter.api.Test;

/** Packages depend one way, and what is internal stays so. */
class ArchitectureTest {
    private static final String ROOT = "io.github.simclr4j.tribuo";
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    @Test
    void packagesDependOneWay() {
        layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .layer("old names")
                .definedBy(ROOT)
                .layer("explore")
                .definedBy(ROOT + ".explore..")
                .layer("evaluation")
                .definedBy(ROOT + ".evaluation..")
                .layer("training")
                .definedBy(ROOT + ".training..")
                .layer("model")
                .definedBy(ROOT + ".model..")
                .layer("source")
                .definedBy(ROOT + ".source..")
                .layer("extraction")
                .definedBy(ROOT + ".extraction..")
                .layer("protos")
                .definedBy(ROOT + ".protos..")
                .layer("internal")
                .definedBy(ROOT + ".internal..")
                .whereLayer("old names")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("explore")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("evaluation")
                .mayOnlyBeAccessedByLayers("old names", "explore")
                .whereLayer("training")
                .mayOnlyBeAccessedByLayers("old names", "evaluation")
                .whereLayer("model")
                .mayOnlyBeAccessedByLayers("old names", "training", "evaluation")
                .whereLayer("source")
                .mayOnlyBeAccessedByLayers("old names", "evaluation", "explore")
                .whereLayer("extraction")
                .mayOnlyBeAccessedByLayers("old names", "source", "model", "training", "evaluation", "explore")
                .whereLayer("protos")
                .mayOnlyBeAccessedByLayers("model")
                .whereLayer("internal")
                .mayOnlyBeAccessedByLayers("extraction", "source", "model", "training", "evaluation", "explore")
                .whereLayer("internal")
                .mayNotAccessAnyLayer()
                .whereLayer("protos")
                .mayNotAccessAnyLayer()
                .check(MAIN);
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(MAIN);
    }

    /** Public classes, each with the classes inside it. */
    private static final class PublicApi implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            JavaClass outer = javaClass;
            while (outer.getEnclosingClass().isPresent()) {
                outer = outer.getEnclosingClass().get();
            }
            boolean generated = outer.getPackageName().endsWith(".protos");
            return outer.getModifiers().contains(JavaModifier.PUBLIC) && !generated
                    ? SliceIdentifier.of(outer.getName())
                    : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
            return "public classes";
        }
    }

    @Test
    void publicClassesAreFreeOfCycles() {
        slices().assignedFrom(new PublicApi()).should().beFreeOfCycles().check(MAIN);
    }

    @Test
    void whatIsInternalElsewhereIsNotUsed() {
        noClasses()
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "are internal to another module",
                        c -> c.getPackageName().startsWith("io.github.simclr4j.")
                                && !c.getPackageName().startsWith(ROOT)
                                && c.getPackageName().contains(".internal")))
                .check(MAIN);
    }

    @Test
    void neitherDjlNorTheCommandLineIsUsed() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("ai.djl..", "picocli..", "io.github.simclr4j.train..", "io.github.simclr4j.cli..")
                .check(MAIN);
    }
}
