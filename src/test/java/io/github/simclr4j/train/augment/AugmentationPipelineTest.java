// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Text to augmentations and back. */
class AugmentationPipelineTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // Chen et al. 2020, appendix A and B.9.
                "simclr       | crop:0.08@1.0,flip@0.5,jitter:1.0@0.8,grey@0.2,blur:2.0@0.5",
                "simclr-cifar | crop:0.08@1.0,flip@0.5,jitter:0.5@0.8,grey@0.2",
                // He et al. 2020 and Chen, Fan, Girshick and He 2020, in the order of their program.
                "mocov1       | crop-bilinear:0.2@1.0,grey@0.2,jitter:0.4/0.4/0.4/0.4@1.0,flip@0.5",
                "mocov2       | crop-bilinear:0.2@1.0,jitter:0.4/0.4/0.4/0.1@0.8,grey@0.2,blur:2.0@0.5,flip@0.5",
                "mocov2-cifar | crop-bilinear:0.2@1.0,jitter:0.4/0.4/0.4/0.1@0.8,grey@0.2,flip@0.5",
                // Grill et al. 2020, table 6, and the same without blur; VICReg's as solo-learn has it for CIFAR.
                "byol         | crop:0.08@1.0,flip@0.5,jitter:0.4/0.4/0.2/0.1@0.8,grey@0.2,blur:2.0@1.0",
                "byol2        | crop:0.08@1.0,flip@0.5,jitter:0.4/0.4/0.2/0.1@0.8,grey@0.2,blur:2.0@0.1,solarise:0.5@0.2",
                "byol-cifar   | crop:0.08@1.0,flip@0.5,jitter:0.4/0.4/0.2/0.1@0.8,grey@0.2",
                "byol2-cifar  | crop:0.08@1.0,flip@0.5,jitter:0.4/0.4/0.2/0.1@0.8,grey@0.2,solarise:0.5@0.2",
                "vicreg-cifar | crop:0.2@1.0,flip@0.5,jitter:0.4/0.4/0.2/0.1@0.8,grey@0.2,solarise:0.5@0.1",
                "supervised   | crop:0.08@1.0,flip@0.5",
                "autoaugment  | crop:0.08@1.0,flip@0.5,autoaugment@1.0",
                "autoaugment-imagenet | crop:0.08@1.0,flip@0.5,autoaugment-imagenet@1.0",
            })
    void presetsAreThePublishedOnes(String name, String steps) {
        assertEquals(steps, AugmentationPipeline.of(name).toString());
        assertTrue(AugmentationPipeline.presets().contains(name));
        assertEquals(13, AugmentationPipeline.presets().size());
    }

    @Test
    void printedTextReadsBack() {
        List<String> texts = new ArrayList<>(AugmentationPipeline.presets());
        texts.addAll(List.of(
                "none", "", "rotate,cutout:0.3,noise:0.05@0.1,sobel@1", " flip @ 0.25 , crop:0.2@0.9", "jitter:0"));
        for (String text : texts) {
            AugmentationPipeline p = AugmentationPipeline.of(text);
            assertEquals(p, AugmentationPipeline.of(p.toString()), text);
        }
        assertEquals("none", AugmentationPipeline.of("").toString());
        assertEquals(
                "flip@0.25,crop:0.2@0.9",
                AugmentationPipeline.of(" flip @ 0.25 , CROP:0.2@0.9").toString());
        assertEquals(new AugmentationStep("crop", List.of(0.2), 0.9), new AugmentationStep("CROP", List.of(0.2), 0.9));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "wobble       | Unknown augmentation, expected one of crop, crop-bilinear, flip, jitter, grey, rotate, cutout, noise,"
                        + " blur, sobel, solarise, autoaugment, autoaugment-imagenet, negative, found wobble",
                "simclr,flip  | Unknown augmentation, expected one of crop, crop-bilinear, flip, jitter, grey, rotate, cutout, noise,"
                        + " blur, sobel, solarise, autoaugment, autoaugment-imagenet, negative, found simclr",
                "crop,,flip   | Unknown augmentation, expected one of crop, crop-bilinear, flip, jitter, grey, rotate, cutout, noise,"
                        + " blur, sobel, solarise, autoaugment, autoaugment-imagenet, negative, found",
                "crop,        | Unknown augmentation, expected one of crop, crop-bilinear, flip, jitter, grey, rotate, cutout, noise,"
                        + " blur, sobel, solarise, autoaugment, autoaugment-imagenet, negative, found",
                "crop:0       | A strength of crop must be above 0 and at most 1.0, found 0.0",
                "crop:1.1     | A strength of crop must be above 0 and at most 1.0, found 1.1",
                "cutout:2     | A strength of cutout must be above 0 and at most 1.0, found 2.0",
                "blur:0       | A strength of blur must be above 0 and at most 100.0, found 0.0",
                "blur:NaN     | A strength of blur must be above 0 and at most 100.0, found NaN",
                "noise:-1     | A strength of noise must be from 0 to 1.0, found -1.0",
                "noise:Infinity | A strength of noise must be from 0 to 1.0, found Infinity",
                "jitter:1.3   | A strength of jitter must be from 0 to 1.25, found 1.3",
                "jitter:-1    | A strength of jitter must be from 0 to 1.25, found -1.0",
                "jitter:0.4/0.4/0.4/0.6 | A strength of jitter must be from 0 to 0.5, found 0.6",
                "jitter:1.1/0/0/0 | A strength of jitter must be from 0 to 1.0, found 1.1",
                "jitter:0.1/0.2 | jitter takes 1 or 4 strengths, found [0.1, 0.2]",
                "crop:0.1/0.2/0.3 | crop takes 1 or 2 strengths, found [0.1, 0.2, 0.3]",
                "flip:1       | flip takes 0 strengths, found [1.0]",
                "crop:        | Expected an augmentation as name:strength@probability, found crop:",
                "crop:x       | Expected an augmentation as name:strength@probability, found crop:x",
                "crop@        | Expected an augmentation as name:strength@probability, found crop@",
                "crop@1.5     | A probability must be from 0 to 1, found 1.5",
                "crop@-0.1    | A probability must be from 0 to 1, found -0.1",
                "crop@NaN     | A probability must be from 0 to 1, found NaN",
                "crop,crop-bilinear | A view can be cropped only once, found [crop:0.08@1.0, crop-bilinear:0.08@1.0]"
            })
    void whatMakesNoSenseIsRefused(String text, String message) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> AugmentationPipeline.of(text));
        assertEquals(message, e.getMessage().strip());
    }

    @Test
    void noTextIsRefused() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> AugmentationPipeline.of(null));
        assertTrue(e.getMessage().contains("simclr-cifar"), e.getMessage());
        assertTrue(e.getMessage().endsWith(", none, or augmentations separated by commas, found null"), e.getMessage());
    }

    @Test
    void theHelpNamesEveryAugmentationWithItsDefaults() {
        String help = String.join("\n", AugmentationPipeline.help());
        assertTrue(help.lines().allMatch(l -> l.length() <= 80), help);
        for (String text : List.of(
                "crop:0.08@1",
                "crop-bilinear:0.08@1",
                "flip@0.5",
                "jitter:0.5@0.8",
                "grey@0.2",
                "rotate@0.75",
                "cutout:0.5@1",
                "noise:0.1@0.5",
                "blur:2@0.5",
                "sobel@0.5",
                "solarise:0.5@0.2",
                "autoaugment@1",
                "autoaugment-imagenet@1")) {
            assertTrue(help.lines().anyMatch(l -> l.startsWith("  " + text + " ")), text + " in\n" + help);
        }
        assertEquals(
                List.of(
                        "  crop:0.08@1             smallest share of the area, to 1, or to a second",
                        "                          strength; aspect 3/4 to 4/3; resized by a bicubic",
                        "                          filter"),
                AugmentationPipeline.help().subList(0, 3));
    }
}
