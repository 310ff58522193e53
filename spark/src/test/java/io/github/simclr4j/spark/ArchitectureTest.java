// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What this module may use. */
class ArchitectureTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.github.simclr4j.spark");

    @Test
    void otherModulesInternalsAndTheTrainerAreNotUsed() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.simclr4j..internal..", "io.github.simclr4j.train..", "io.github.simclr4j.cli..")
                .check(MAIN);
    }

    @Test
    void theExampleIsOnTop() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.github.simclr4j.spark.example")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.github.simclr4j.spark.example")
                .check(MAIN);
    }
}
