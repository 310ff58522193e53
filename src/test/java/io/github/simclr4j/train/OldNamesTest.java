// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Trainer;

/** Configuration files of the time when the trainers were in this package still make them. */
class OldNamesTest {
    @Test
    void aConfigurationFileMakesWhatItMade(@TempDir Path dir) throws IOException, ReflectiveOperationException {
        Path file = Files.writeString(dir.resolve("configuration.xml"), """
                <config>
                  <component name="teacher" type="io.github.simclr4j.train.FineTuneTrainer">
                    <property name="encoder" value="encoder.onnx"/>
                    <property name="epochs" value="3"/>
                    <property name="batchSize" value="16"/>
                    <property name="learningRate" value="0.05"/>
                    <property name="views" value="supervised"/>
                    <property name="device" value="cpu"/>
                    <property name="threads" value="1"/>
                    <property name="seed" value="7"/>
                    <property name="fromScratch" value="true"/>
                    <property name="imageSize" value="32"/>
                  </component>
                  <component name="student" type="io.github.simclr4j.train.DistillationTrainer">
                    <property name="teacher" value="teacher"/>
                    <property name="architecture" value="resnet34"/>
                    <property name="width" value="0.5"/>
                    <property name="stem" value="imagenet"/>
                    <property name="imageSize" value="64"/>
                    <property name="temperature" value="2"/>
                    <property name="epochs" value="4"/>
                  </component>
                </config>
                """);
        try (ConfigurationManager manager = new ConfigurationManager(file.toString())) {
            Trainer<?> teacher =
                    assertInstanceOf(io.github.simclr4j.train.tribuo.FineTuneTrainer.class, manager.lookup("teacher"));
            Trainer<?> student = assertInstanceOf(
                    io.github.simclr4j.train.tribuo.DistillationTrainer.class, manager.lookup("student"));
            for (String setting : List.of("epochs=3", "encoder=encoder.onnx", "fromScratch=true", "imageSize=32")) {
                assertTrue(teacher.toString().contains(setting), teacher.toString());
            }
            for (String setting :
                    List.of("epochs=4", "architecture=resnet34", "width=0.5", "imageSize=64", "temperature=2.0")) {
                assertTrue(student.toString().contains(setting), student.toString());
            }
            // What the provenance of a model names can be made again.
            for (var component : ProvenanceUtil.extractConfiguration(student.getProvenance())) {
                Class<?> type = Class.forName(component.getClassName());
                assertTrue(Configurable.class.isAssignableFrom(type), type.getName());
            }
            assertEquals(
                    "io.github.simclr4j.train.DistillationTrainer",
                    student.getProvenance().getClassName());
        }
    }
}
