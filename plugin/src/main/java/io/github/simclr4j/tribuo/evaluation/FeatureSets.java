// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.source.ImageSetDataSource;
import io.github.simclr4j.util.Progress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;

/**
 * The features of the training and test images of an evaluation, in the images' order.
 *
 * @param train features of the training images
 * @param test features of the test images, whose classes all occur among the training images
 * @param classes names of the training images' classes, in the order of their first image
 * @param skipped number of images that could not be read and are left out
 * @since 0.1.0
 */
public record FeatureSets(MutableDataset<Label> train, MutableDataset<Label> test, List<String> classes, int skipped) {

    /** Reads the images; see {@link ProtocolContext#features}. */
    static FeatureSets read(
            LabelledImages train,
            LabelledImages test,
            ImageFeatureExtractor<Label> extractor,
            String title,
            Progress progress) {
        List<String> classes = train.sameClasses(test);
        int[] skipped = new int[1];
        FeatureSets sets = new FeatureSets(
                extract(train, "features of " + title + ", training images", extractor, progress, skipped),
                extract(test, "features of " + title + ", test images", extractor, progress, skipped),
                classes,
                skipped[0]);
        // A class may have lost all its training images, because they are damaged.
        Set<Label> unknown = new HashSet<>(sets.test.getOutputs());
        unknown.removeAll(sets.train.getOutputs());
        if (sets.test.size() == 0 || !unknown.isEmpty()) {
            throw new IllegalStateException(
                    sets.test.size() == 0
                            ? "No readable image in " + test.path()
                            : "No readable image in " + train.path() + " of the classes " + unknown);
        }
        if (sets.skipped > 0) {
            progress.warn("Left out unreadable images: " + sets.skipped);
        }
        return sets;
    }

    private static MutableDataset<Label> extract(
            LabelledImages images,
            String task,
            ImageFeatureExtractor<Label> extractor,
            Progress progress,
            int[] skipped) {
        ImageSetDataSource<Label> source;
        try {
            source = new ImageSetDataSource<>(images.path(), images.source(), extractor);
        } catch (PropertyException e) {
            throw new IllegalStateException(e.getMsg(), e);
        }
        MutableDataset<Label> dataset = new MutableDataset<>(source.getProvenance(), source.getOutputFactory());
        progress.start(task, source.size());
        for (Example<Label> example : source) {
            dataset.add(example);
            progress.at(dataset.size(), "");
        }
        progress.end();
        skipped[0] += source.skipped().size();
        return dataset;
    }

    /** Returns the class of each example. */
    static List<String> labels(Dataset<Label> dataset) {
        return dataset.getData().stream().map(e -> e.getOutput().getLabel()).toList();
    }
}
