package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Text to augmentations and back. */
class CompositionTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        // Chen et al. 2020, appendix A and B.9.
        "simclr       | crop:0.08@1.0,flip@0.5,jitter:1.0@0.8,grey@0.2,blur:2.0@0.5",
        "simclr-cifar | crop:0.08@1.0,flip@0.5,jitter:0.5@0.8,grey@0.2",
        // He et al. 2020 and Chen, Fan, Girshick and He 2020, in the order of their program.
        "mocov1       | crop-bilinear:0.2@1.0,grey@0.2,jitter:0.4/0.4/0.4/0.4@1.0,flip@0.5",
        "mocov2       | crop-bilinear:0.2@1.0,jitter:0.4/0.4/0.4/0.1@0.8,grey@0.2,blur:2.0@0.5,flip@0.5",
        "mocov2-cifar | crop-bilinear:0.2@1.0,jitter:0.4/0.4/0.4/0.1@0.8,grey@0.2,flip@0.5",
        "supervised   | crop:0.08@1.0,flip@0.5",
        "autoaugment  | crop:0.08@1.0,flip@0.5,autoaugment@1.0",
        "autoaugment-imagenet | crop:0.08@1.0,flip@0.5,autoaugment-imagenet@1.0",
    })
    void presetsAreThePublishedOnes(String name, String parts) {
        assertEquals(parts, Composition.of(name).toString());
        assertTrue(Composition.presets().contains(name));
        assertEquals(8, Composition.presets().size());
    }

    @Test
    void printedTextReadsBack() {
        List<String> texts = new java.util.ArrayList<>(Composition.presets());
        texts.addAll(List.of(
                "none", "", "rotate,cutout:0.3,noise:0.05@0.1,sobel@1", " flip @ 0.25 , crop:0.2@0.9", "jitter:0"));
        for (String text : texts) {
            Composition c = Composition.of(text);
            assertEquals(c, Composition.of(c.toString()), text);
        }
        assertEquals("none", Composition.of("").toString());
        assertEquals("flip@0.25,crop:0.2@0.9", Composition.of(" flip @ 0.25 , CROP:0.2@0.9").toString());
    }

    @ParameterizedTest
    @EnumSource(Augmentation.Kind.class)
    void everyKindHasDefaults(Augmentation.Kind kind) {
        Augmentation a = Augmentation.of(kind.text());
        assertEquals(kind, a.kind());
        assertEquals(a, Augmentation.of(a.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "wobble", "crop:0", "crop:1.1", "crop:0.1/0.2", "crop:", "crop:x", "crop@", "crop@1.5", "crop@-0.1", "crop@NaN",
        "flip:1", "jitter:0.1/0.2", "jitter:1.3", "jitter:0.4/0.4/0.4/0.6", "jitter:1.1/0/0/0",
        "jitter:-1", "cutout:2", "noise:-1", "noise:Infinity", "blur:NaN", "blur:0", "crop,,flip", "crop,",
        "crop,crop-bilinear", "simclr,flip"})
    void whatMakesNoSenseIsRefused(String text) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Composition.of(text));
        assertTrue(e.getMessage().length() > 20, e.getMessage());
    }

    @Test
    void noTextIsRefused() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Composition.of(null));
        assertTrue(e.getMessage().contains("simclr-cifar"), e.getMessage());
    }
}
