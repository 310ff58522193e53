// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line refuses, before any work, and what it does not. */
class OptionsTest {
    @TempDir
    static Path dir;

    private static Path images;
    private static Path flat;
    private static Path empty;
    private static Path encoder;

    @BeforeAll
    static void draw() throws IOException {
        images = dir.resolve("images");
        BuiltInImages.write(images, 1, 1);
        flat = Files.createDirectories(dir.resolve("flat"));
        Files.copy(images.resolve("disc/0000.png"), flat.resolve("0.png"));
        Files.copy(images.resolve("checks/0000.png"), flat.resolve("1.png"));
        empty = Files.createDirectories(dir.resolve("empty"));
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    private static Run with(List<?> first, String options) {
        List<Object> all = new ArrayList<>(first);
        all.addAll(Arrays.asList(options.split(" ")));
        return run(all.toArray());
    }

    private static Run pretrain(Path from, String options) {
        return with(List.of("pretrain", "--images", from, "--device", "cpu", "--out", dir.resolve("x.onnx")), options);
    }

    private static Run evaluate(String options) {
        return with(List.of("evaluate", "--encoder", encoder, "--train", images, "--test", images), options);
    }

    private static void refused(String expected, Run run) {
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(expected), run.err());
        assertEquals(1, run.err().strip().lines().count(), run.err());
        assertEquals("", run.out());
        assertFalse(Files.exists(dir.resolve("x.onnx.checkpoint")));
    }

    @Test
    void anImageSizeThatTheEncoderDoesNotTakeIsRefusedBeforeImagesAreRead() {
        refused(
                "takes images of 32, 64, 128 or 256 pixels, found 48",
                pretrain(empty, "--method amdim --image-size 48"));
        refused(
                "must be a multiple of the patch size, 16, found 40",
                pretrain(empty, "--encoder vit-tiny --image-size 40"));
    }

    /** picocli does so for an option outside a group; inside, all others of the group would fall back to their defaults. */
    @Test
    void anOptionThatIsGivenTwiceIsRefused() {
        refused(
                "'--epochs' should be specified only once",
                pretrain(empty, "--method mocov2 --batch 16 --epochs 3 --epochs 2"));
        refused(
                "'--symmetric' should be specified only once",
                pretrain(empty, "--symmetric --method mocov2 --symmetric"));
        refused("'--keep' should be specified only once", pretrain(empty, "--keep 3 --epochs 3 --knn k --keep 2"));
        refused("'--limit' (N) should be specified only once", pretrain(empty, "--limit 3 --limit 2"));
        refused(
                "'--views' should be specified only once",
                with(
                        List.of("finetune", "--encoder", encoder, "--train", empty, "--out", dir.resolve("f.onnx")),
                        "--views none --batch 8 --views crop"));
        refused("'--batch' should be specified only once", evaluate("--protocol finetune --batch 8 --batch 16"));
    }

    /** The last option is the one. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--queue 64",
                "--momentum-encoder 0.9",
                "--momentum-encoder-end 0.995",
                "--symmetric",
                "--margin 0.5",
                "--class-prior 0.2",
                "--momentum 0.8",
                "--optimizer adam --momentum 0.8",
                "--knn-every 3",
                "--knn-test empty",
                "--loss debiased --margin 0.5",
                "--multi-crop 0 --multi-crop-size 16",
                "--method byol --multi-crop-most 0.14",
                "--loss margin --class-prior 0.2",
                "--loss margin --temperature 0.5",
                "--loss margin-semihard --temperature 0.5",
                "--method mocov1 --loss nt-logistic",
                "--method mocov2 --loss margin",
                "--method end-to-end --loss debiased",
                "--method end-to-end --queue 64",
                "--method mocov2 --margin 0.5",
                "--method supervised --temperature 0.2",
                "--method supervised --loss supcon",
                "--method supervised --head deep",
                "--method supervised --projection 32",
                "--method supervised --hidden 32",
                "--method supervised --head-norm false",
                "--method supervised --keep-head 1",
                "--head none --hidden 32",
                "--head none --projection 32",
                "--head none --head-norm true",
                "--head linear --hidden 32",
                "--method mocov1 --hidden 32",
                "--learning-rate 0.1 --lr-scaling linear",
                "--init encoder.onnx --zero-gamma true",
                "--method cpc --views2 none",
                "--method cmc --views2 none",
                "--method amdim --stem imagenet",
                "--method amdim --zero-gamma true",
                "--method cpc --zero-gamma false",
                "--encoder vit-tiny --zero-gamma true",
                "--teacher encoder.onnx",
                "--method mocov2 --teacher-views"
            })
    void whatWouldHaveNoEffectIsRefused(String options) {
        refused(last(options) + " has an effect only with", pretrain(empty, options));
    }

    private static Run onDevices(String devices, String options) {
        return with(
                List.of("pretrain", "--images", empty, "--out", dir.resolve("x.onnx"), "--devices", devices), options);
    }

    @Test
    void devicesThatDoNotShareATrainingAreRefused() {
        refused("--device has an effect only without --devices", pretrain(empty, "--devices cpu,cpu"));
        refused("A GPU and the CPU can't share a training", onDevices("gpu:0,cpu", "--batch 8"));
        refused("gpu:0 is named twice", onDevices("gpu:0,gpu", "--batch 8"));
        refused("Unknown device, expected auto, cpu, gpu or gpu:N, found tpu", onDevices("cpu,tpu", "--batch 8"));
        refused("Unknown device", onDevices("cpu,", "--batch 8"));
        refused("auto is not one of several devices", onDevices("auto,gpu:1", "--batch 8"));
        refused("The batch must be a multiple of 2, for 2 devices, found 9", onDevices("cpu,cpu", "--batch 9"));
        refused(
                "(--bn-splits) must be a multiple of the 2 devices, which share them: found 3 for a batch of 9",
                onDevices("cpu,cpu", "--batch 9 --bn-splits 3"));
    }

    @ParameterizedTest
    @CsvSource({
        "embed --merge --out x.csv --mean 0.5, without --merge",
        "embed --merge --out x.csv --image-size 64, without --merge",
        "embed --merge --out x.csv --preprocessing p.json, without --merge",
        "embed --merge --out x.csv --provider cpu, without --merge",
        "embed --merge --out x.csv --encoder-batch 4, without --merge",
        "embed --merge --out x.csv --session-option a=b, without --merge",
        "embed --merge --out x.csv --no-winograd, without --merge",
        "embed --merge --out x.csv --path-column p, without --merge",
        "embed --merge --out x.csv --label-column l, without --merge",
        "export e.onnx --out x.onnx --path-column p, with --precision int8",
        "export e.onnx --out x.onnx --precision float16 --label-column l, with --precision int8",
        "embed --encoder e.onnx --images i --out x.csv --provider cpu --device gpu, without --provider",
        "duplicates --encoder e.onnx --images i --out x.csv --provider cpu --device gpu, without --provider",
        "compare --encoder e --encoder f --train i --test i --provider cpu --device gpu, without --provider",
        "evaluate --encoder e --train i --test i --provider cpu --device gpu, without --provider",
        "study grid --images i --train i --test i --out o --axis seed=1 --seed 2, without --axis seed",
        "bench step --views none, without bench step",
        "bench step --multi-crop 2 --multi-crop-most 0.5, without bench step",
        "bench step --epochs 3, without bench step",
        "bench views --memory 9, with bench input and train",
        "bench embed --decoders 2, with bench input and train",
        "bench views --limit 9, with --images",
        "bench input --label-column l, with --images",
        "bench views --optimizer sgd, with bench step and train",
        "bench views --multi-crop 2, with bench step and train",
        "bench input --views none, with bench step and train",
        "bench embed --epochs 3, with bench step and train",
        "bench embed --encoder e.onnx --width 1, without an encoder file",
        "bench step --method cpc --views2 none, without bench step",
        "bench train --method cpc --views2 none, without --method cpc"
    })
    void whatACommandDoesNotUseIsRefused(String options, String when) {
        String name = last(options);
        refused(name + " has an effect only " + when, run((Object[]) options.split(" ")));
    }

    /** They come as far as the files, of which there are none. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "study grid --images i --train i --test i --out o --axis seed=1 --limit 5 --seed 2",
                "embed --encoder e.onnx --images i --out x.csv --provider cpu --encoder-batch 4 --label-column l",
                "evaluate --encoder e --train i --test i --protocol linear,finetune --provider cpu --device cpu",
                "bench input --images i --batch 8 --limit 9 --memory 9 --decoders 1 --label-column l",
                "bench views --images i --method mocov2 --views none --views2 flip --batch 8 --encoder resnet34",
                "bench embed --images i --encoder resnet34 --stem imagenet --image-size 64",
                "bench train --images i --epochs 3 --optimizer sgd --momentum 0.5 --views none --checkpoint o",
                "pretrain --images i --out e.onnx --multi-crop 0",
                "pretrain --images i --out e.onnx --method byol --multi-crop 0",
                "pretrain --images i --out e.onnx --method simsiam --multi-crop 0",
                "pretrain --images i --out e.onnx --method cpc --keep-head 0",
                "pretrain --images i --out e.onnx --method mocov1 --momentum-encoder-end 1",
                "pretrain --images i --out e.onnx --method mocov2 --momentum-encoder-end 1",
                "pretrain --images i --out e.onnx --method mocov3 --momentum-encoder-end 1",
                "pretrain --images i --out e.onnx --method byol --momentum-encoder-end 1"
            })
    void whatACommandUsesIsNot(String options) {
        Path folder = dir.resolve("used");
        Run run = run((Object[]) options.replace("--out ", "--out " + folder + "/")
                .replace("--checkpoint ", "--checkpoint " + folder + "/")
                .split(" "));
        assertEquals(1, run.code(), run.err());
    }

    private static String last(String options) {
        return options.substring(options.lastIndexOf("--")).split(" ")[0];
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--epochs 5",
                "--batch 8",
                "--learning-rate 0.1",
                "--views none",
                "--student-epochs 5",
                "--temperature 2",
                "--unlabelled 5",
                "--protocol self-training --epochs 5",
                "--protocol finetune --student-epochs 5",
                "--protocol from-scratch --temperature 2",
                "--protocol linear,finetune --unlabelled 5",
                "--protocol finetune,distillation --mean 0.5",
                "--protocol finetune --provider cpu",
                "--protocol from-scratch --encoder-batch 4"
            })
    void whatAProtocolDoesNotReadIsRefused(String options) {
        refused(last(options) + " has an effect only with --protocol", evaluate(options));
    }

    @Test
    void aTeacherMustBeGivenAndBeThere() {
        refused("--teacher must name", pretrain(empty, "--method distill"));
        refused("must name an existing file, found gone.onnx", pretrain(empty, "--method distill --teacher gone.onnx"));
        refused(
                "--teacher-config must name",
                pretrain(empty, "--method distill --teacher " + encoder + " --teacher-config gone.json"));
        refused(
                "--teacher-cache has an effect only with",
                pretrain(empty, "--method distill --teacher-views --teacher " + encoder + " --teacher-cache folder"));
        refused(
                "--head has an effect only without",
                pretrain(empty, "--method distill --teacher " + encoder + " --head deep"));
    }

    /** They come as far as the images, of which there are none. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--method mocov2 --momentum-encoder-end 0.995",
                "--method mocov1 --queue 256 --symmetric --head nonlinear --hidden 32",
                "--loss margin --margin 0.5",
                "--loss debiased --class-prior 0.2 --temperature 0.5",
                "--loss nt-xent --temperature 0.5",
                "--optimizer sgd --momentum 0.8 --lr-scaling linear",
                "--learning-rate 0.1",
                "--head linear --projection 32 --head-norm false",
                "--method end-to-end --temperature 0.1 --head deep",
                "--method supervised --views supervised",
                "--zero-gamma true",
                "--method cmc --stem imagenet --zero-gamma true",
                "--method mocov2 --views2 none",
                "--method mocov2 --queue 64 --batch 128"
            })
    void whatHasAnEffectIsNot(String options) {
        Run run = pretrain(empty, options);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.err().contains("No images in"), run.err());
    }

    @ParameterizedTest
    @CsvSource({
        "--keep must be at least 1, --keep 0", "--checkpoint-minutes must be above 0, --checkpoint-minutes -1",
        "--knn-every must be at least 1, --knn empty --knn-every 0",
                "--temperature must be a finite number, --temperature Infinity",
        "--learning-rate must be a finite number, --learning-rate Infinity",
                "--width must be a finite number, --width NaN",
        "Batch must be at least 2, --batch 0", "Unknown learning rate scaling, --lr-scaling cubic",
        "Unknown learning rate scaling, --learning-rate 1 --lr-scaling cubic"
    })
    void aValueOutOfRangeIsSaidBeforeImagesAreRead(String expected, String options) {
        Run run = pretrain(empty, options);
        assertEquals(2, run.code(), run.err());
        assertTrue(run.err().contains(expected.split(" ")[0]) && run.err().contains(expected), run.err());
    }

    @Test
    void whatImagesLackIsSaidBeforeTheyAreRead() {
        for (String[] c : new String[][] {
            {"--knn needs a label for each image", "--knn " + flat},
            {"--knn-test needs a label", "--knn " + images + " --knn-test " + flat},
            {"needs a label for each image", "--method supervised"},
            {"needs a label for each image", "--loss supcon"}
        }) {
            Run run = pretrain(flat, c[1]);
            assertEquals(1, run.code(), run.err());
            assertTrue(
                    run.err().startsWith("simclr: ")
                            && run.err().contains(c[0])
                            && run.err().contains("0.png has none"),
                    run.err());
        }
        refused(
                "--queue must hold the keys of a batch, 10 or more, found 4",
                pretrain(images, "--method mocov2 --queue 4"));
        refused("--temperature must be a finite number", evaluate("--protocol distillation --temperature Infinity"));
    }

    @Test
    void noFileIsWrittenOverAnother() throws IOException {
        Path out = dir.resolve("both.onnx");
        byte[] before = Files.readAllBytes(encoder);
        Path inside = images.resolve("../encoder.onnx");
        for (Object[] c : new Object[][] {
            {"--out and --json", "pretrain", "--images", images, "--out", out, "--json", out},
            {
                "--out and --metrics",
                "pretrain",
                "--images",
                images,
                "--out",
                out,
                "--metrics",
                dir.resolve("no/../both.onnx")
            },
            {"--out and --checkpoint", "pretrain", "--images", images, "--out", out, "--checkpoint", out},
            {"--json names", "pretrain", "--images", images, "--out", out, "--json", dir.resolve("metrics.jsonl")},
            {"--out and --init", "pretrain", "--images", images, "--out", inside, "--init", encoder},
            {"--metrics and --knn", "pretrain", "--images", images, "--out", out, "--knn", images, "--metrics", images},
            {
                "--encoder and --json",
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                images,
                "--test",
                images,
                "--json",
                encoder
            },
            {"--encoder and --out", "finetune", "--encoder", encoder, "--train", images, "--out", encoder},
            {
                "--json names",
                "finetune",
                "--encoder",
                encoder,
                "--train",
                images,
                "--out",
                out,
                "--json",
                dir.resolve("both.onnx.checkpoint")
            },
            {"--json names", "quickstart", "--out", dir.resolve("q"), "--json", dir.resolve("q/encoder.onnx")},
            {"--json and E", "inspect", encoder, "--json", encoder},
            {"E name the same file", "inspect", encoder, "--json", encoder},
            {"REFERENCE", "verify", encoder, inside, "--images", images, "--json", inside},
        }) {
            Run run = run(Arrays.copyOfRange(c, 1, c.length));
            assertEquals(2, run.code(), run.err());
            for (String name : ((String) c[0]).split(" and ")) {
                assertTrue(run.err().contains(name), c[0] + ": " + run.err());
            }
            assertFalse(Files.exists(out));
        }
        assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(encoder)));
    }

    @Test
    void aStartThatFailsLeavesNoFolders() throws IOException {
        Path out = dir.resolve("n1/n2/x.onnx");
        assertEquals(
                1,
                run("pretrain", "--images", dir.resolve("nosuch"), "--out", out, "--json", dir.resolve("n3/x.json"))
                        .code());
        assertEquals(
                2,
                run("pretrain", "--images", images, "--out", out, "--epochs", "0")
                        .code());
        assertEquals(
                1,
                run("finetune", "--encoder", dir.resolve("nosuch"), "--train", images, "--out", out)
                        .code());
        assertEquals(
                2,
                run("quickstart", "--out", dir.resolve("n1"), "--images", "0").code());
        assertFalse(Files.exists(dir.resolve("n1")));
        assertFalse(Files.exists(dir.resolve("n3")));
        Path kept = Files.createDirectories(dir.resolve("kept"));
        assertEquals(
                1,
                run("pretrain", "--images", dir.resolve("nosuch"), "--out", kept.resolve("sub/x.onnx"))
                        .code());
        assertTrue(Files.isDirectory(kept) && !Files.exists(kept.resolve("sub")));
    }

    @Test
    void aPathMayBeginWithAnAt() throws IOException {
        // It is no file of options, though there is one of that name without the @.
        Path options = Files.writeString(dir.resolve("options"), "--bogus");
        Run run = run("inspect", "@" + options);
        assertEquals(1, run.code(), run.err());
        assertTrue(run.err().startsWith("simclr: ") && run.err().contains("@" + options), run.err());
    }

    @Test
    void helpIsACommandAndATypoGetsASuggestion() {
        Run help = run("help", "pretrain");
        assertEquals(0, help.code(), help.err());
        assertTrue(help.out().contains("--momentum-encoder"), help.out());
        refused("did you mean", run("pretian"));
        assertTrue(run("pretian").err().contains("pretrain"), run("pretian").err());
    }
}
