// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.data.columnar.RowProcessor;
import org.tribuo.data.columnar.processors.field.DoubleFieldProcessor;
import org.tribuo.data.columnar.processors.response.FieldResponseProcessor;
import org.tribuo.data.csv.CSVDataSource;
import org.tribuo.data.csv.CSVLoader;
import org.tribuo.data.csv.CSVSaver;

/** Tribuo reads and writes CSV through opencsv, of which the libraries for beans are left out. */
class CsvWithoutBeansTest {
    private static final String ROWS = "a,b,\"the class\"\n1.5,2,cat\n-3,\"4\",\"dog, large\"\n";

    @TempDir
    Path dir;

    private Path table() throws IOException {
        return Files.writeString(dir.resolve("rows.csv"), ROWS);
    }

    @Test
    void outdatedLibrariesAreNotOnTheClassPath() {
        assertThrows(ClassNotFoundException.class, () -> Class.forName("org.apache.commons.beanutils.ConvertUtils"));
        assertThrows(ClassNotFoundException.class, () -> Class.forName("org.apache.commons.collections.Transformer"));
    }

    @Test
    void tribuoLoadsAndSavesCsv() throws IOException {
        CSVLoader<Label> loader = new CSVLoader<>(new LabelFactory());
        Dataset<Label> loaded = loader.load(table(), "the class");
        assertEquals(2, loaded.size());
        assertEquals("dog, large", loaded.getExample(1).getOutput().getLabel());
        assertEquals(-3, loaded.getExample(1).lookup("a").getValue());
        Path copy = dir.resolve("copy.csv");
        new CSVSaver().save(copy, loaded, "class");
        Dataset<Label> again = loader.load(copy, "class");
        assertEquals(2, again.size());
        assertEquals("cat", again.getExample(0).getOutput().getLabel());
        assertEquals(2, again.getExample(0).lookup("b").getValue());
    }

    @Test
    void tribuoProcessesRows() throws IOException {
        RowProcessor<Label> processor = new RowProcessor.Builder<Label>()
                .setFieldProcessors(List.of(new DoubleFieldProcessor("a"), new DoubleFieldProcessor("b")))
                .build(new FieldResponseProcessor<>("the class", "", new LabelFactory()));
        Dataset<Label> rows = new MutableDataset<>(new CSVDataSource<>(table(), processor, true));
        assertEquals(2, rows.size());
        assertEquals(2, rows.getFeatureMap().size());
    }
}
