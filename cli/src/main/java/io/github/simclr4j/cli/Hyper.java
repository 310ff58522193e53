package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.PretrainSettings;
import io.github.simclr4j.train.augment.Composition;
import io.github.simclr4j.train.method.MethodSettings;
import io.github.simclr4j.train.network.Head;
import io.github.simclr4j.train.optim.OptimiserSettings;
import picocli.CommandLine.Option;

/** The hyper-parameters of pretraining. What is left out is chosen by the method, as its paper has it. */
final class Hyper {
    /** Images up to this side are not blurred unless it is asked for: at 32 pixels a blur takes away what there is to see. */
    private static final int SMALL = 64;
    /** MoCo's queue must be small against the number of images. */
    private static final int MANY = 200_000;

    @Option(names = "--method", paramLabel = "M", defaultValue = "simclr",
            description = "simclr [1], mocov1 [2], mocov2 [3], end-to-end [2, 3.2] or supervised (default: ${DEFAULT-VALUE}).")
    String method;

    @Option(names = "--loss", paramLabel = "L", defaultValue = "nt-xent",
            description = "Of simclr: nt-xent [1, eq. 1], nt-logistic, nt-logistic-semihard, margin, margin-semihard [1, table 4],"
                    + " debiased (Chuang 2020), decoupled (Yeh 2022) or supcon (Khosla 2020, needs labels)"
                    + " (default: ${DEFAULT-VALUE}).")
    String loss;

    @Option(names = "--temperature", paramLabel = "T",
            description = "Of the loss (default: simclr 0.2, of 0.1 to 1 in [1, table 5]; mocov1 0.07 [2]; mocov2 0.2 [3];"
                    + " end-to-end 0.2).")
    Double temperature;

    @Option(names = "--margin", defaultValue = "0.8", description = "Of the margin losses [1, table 2] (default: ${DEFAULT-VALUE}).")
    double margin;

    @Option(names = "--class-prior", paramLabel = "P", defaultValue = "0.1", description = "Of the debiased loss (Chuang 2020):"
            + " share of the negatives that is of the anchor's class (default: ${DEFAULT-VALUE}, for ten classes).")
    double classPrior;

    @Option(names = "--queue", paramLabel = "K", description = "Keys in MoCo's queue, up to 16777216 (default: 65536 [2], 4096"
            + " for fewer than 200000 images).")
    Integer queue;

    @Option(names = "--momentum-encoder", paramLabel = "M", description = "MoCo's m in key = m*key + (1-m)*query"
            + " (default: 0.999 [2], 0.99 for fewer than 200000 images).")
    Double momentumEncoder;

    @Option(names = "--momentum-encoder-end", paramLabel = "M",
            description = "What m rises to along half a cosine, as in BYOL, Grill 2020 (default: as it starts).")
    Double momentumEncoderEnd;

    @Option(names = "--symmetric", description = "MoCo: both views are queries in turn (MoCo v3, Chen, Xie and He 2021).")
    boolean symmetric;

    @Option(names = "--views", paramLabel = "V", description = "A preset (simclr, simclr-cifar [1, B.9], mocov1 [2], mocov2 [3],"
            + " supervised, autoaugment, autoaugment-imagenet), or augmentations in order, as"
            + " crop:0.08,flip,jitter:0.5@0.8,grey@0.2,blur (see ./simclr views --help)"
            + " (default: the method's; without blur for images of at most 64 pixels).")
    String views;

    @Option(names = "--views2", paramLabel = "V", description = "Of the second view, where it differs, as in BYOL"
            + ", Grill 2020 (default: as --views).")
    String views2;

    @Option(names = "--encoder", defaultValue = "resnet18",
            description = "resnet18, 34, 50, 101 or 152 (default: ${DEFAULT-VALUE}; [1] has resnet50).")
    String encoder;

    @Option(names = "--width", defaultValue = "0.25",
            description = "Multiplies the channels of every layer; 1 is the published network, [1] has 1, 2 and 4 (default:"
                    + " ${DEFAULT-VALUE}).")
    double width;

    @Option(names = "--stem", defaultValue = "cifar",
            description = "cifar for images of about 32 pixels [1, B.9], imagenet for 224 (default: ${DEFAULT-VALUE}).")
    String stem;

    @Option(names = "--image-size", paramLabel = "N", defaultValue = "32",
            description = "Side of the views in pixels (default: ${DEFAULT-VALUE}; [1] has 224).")
    int imageSize;

    @Option(names = "--zero-gamma", paramLabel = "true|false", arity = "1", description = "Start the last batch norm of each"
            + " residual block at 0, Goyal 2017 (default: true; adam and adamw false, which leave 0 slowly).")
    Boolean zeroGamma;

    @Option(names = "--head", paramLabel = "H", description = "none, linear, nonlinear [1, 4.2] or deep (three layers [4])"
            + " (default: nonlinear; mocov1 linear).")
    String head;

    @Option(names = "--head-norm", paramLabel = "true|false", arity = "1", description = "Batch norm behind the head's dense layers,"
            + " and no biases (default: true [1]; mocov1 and mocov2 false).")
    Boolean headNorm;

    @Option(names = "--hidden", paramLabel = "N", defaultValue = "0",
            description = "Width of the head's hidden layers; 0 for the encoder's dimension [1, 3] (default: ${DEFAULT-VALUE}).")
    int hidden;

    @Option(names = "--projection", paramLabel = "N", description = "Length of a projection, which the loss is taken on,"
            + " up to 32768 (default: 64 for width below 1, else 128 [1]).")
    Integer projection;

    @Option(names = "--keep-head", paramLabel = "K", defaultValue = "0",
            description = "Layers of the head that stay with the encoder [4] (default: ${DEFAULT-VALUE}).")
    int keepHead;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "128",
            description = "Images a step; each gives two views (default: ${DEFAULT-VALUE}; [1] has 4096, [2] 256).")
    int batch;

    @Option(names = "--micro-batch", paramLabel = "N", defaultValue = "0", description = "Images that go through the network at once,"
            + " for batches beyond the memory; the gradient is the whole batch's (Gao 2021); 0 for all (default: ${DEFAULT-VALUE}).")
    int microBatch;

    @Option(names = "--bn-splits", paramLabel = "N", description = "Groups of a batch with batch norm statistics of their own,"
            + " as on as many devices [2, 3.3] (default: one a micro-batch; MoCo 8 where the batch allows it).")
    Integer bnSplits;

    @Option(names = "--epochs", paramLabel = "N", defaultValue = "100",
            description = "Passes over the images (default: ${DEFAULT-VALUE}; [1] has 100 to 1000).")
    int epochs;

    @Option(names = "--optimizer", paramLabel = "O", defaultValue = "adamw",
            description = "lars [1], sgd (with momentum [2]), nesterov, adam or adamw (default: ${DEFAULT-VALUE}).")
    String optimiser;

    @Option(names = "--learning-rate", paramLabel = "R", description = "After the warm-up (default: by --lr-scaling: lars"
            + " 0.075*sqrt(B) or 0.3*B/256 [1, B.1], sgd 0.03*sqrt(B/256) or 0.03*B/256 [2], adam and adamw 0.008*sqrt(B/128)"
            + " or 0.008*B/128).")
    Double learningRate;

    @Option(names = "--lr-scaling", paramLabel = "S", defaultValue = "sqrt",
            description = "How the rate goes with the batch: sqrt or linear (default: ${DEFAULT-VALUE}, better below 4096 [1, B.1]).")
    String scaling;

    @Option(names = "--momentum", paramLabel = "M", defaultValue = "0.9",
            description = "Of lars and sgd (default: ${DEFAULT-VALUE} [1, 2]).")
    double momentum;

    @Option(names = "--weight-decay", paramLabel = "D", defaultValue = "1e-4",
            description = "Of all weights but batch norm's and biases (default: ${DEFAULT-VALUE} [2]; [1] has 1e-6).")
    double weightDecay;

    @Option(names = "--warmup-epochs", paramLabel = "N",
            description = "Epochs in which the rate rises from 0 (default: a tenth, at most 10 [1]; mocov1 and mocov2 with sgd 0 [2]).")
    Double warmupEpochs;

    @Option(names = "--schedule", paramLabel = "S", description = "cosine [1], step (a tenth after 60%%, a hundredth after 80%% [2])"
            + " or constant (default: cosine; mocov1 step).")
    String schedule;

    @Option(names = "--clip", paramLabel = "N", defaultValue = "0",
            description = "Largest norm of the gradient (Pascanu 2013); 0 for no clipping (default: ${DEFAULT-VALUE}).")
    double clip;

    @Option(names = "--weight-average", paramLabel = "M", defaultValue = "0", description = "Momentum of a moving average of the weights"
            + " (Polyak 1992), which is then what is measured and written; 0 for none (default: ${DEFAULT-VALUE}).")
    double weightAverage;

    @Option(names = "--mixed-precision", description = "FLOAT16 convolutions and dense layers over float32 weights"
            + " (Micikevicius 2018), on a GPU alone.")
    boolean mixed;

    /** Refuses what was given and has no effect. */
    void check(Work command) {
        boolean simclr = method.equals("simclr");
        boolean margins = simclr && loss.startsWith("margin");
        command.only(simclr, "with --method simclr", "--loss");
        command.only(method.startsWith("moco"), "with --method mocov1 and mocov2",
                "--queue", "--momentum-encoder", "--momentum-encoder-end", "--symmetric");
        command.only(!method.equals("supervised"), "without --method supervised, which has a linear classifier and the cross entropy",
                "--temperature", "--head", "--head-norm", "--hidden", "--projection", "--keep-head");
        command.only(margins, "with --loss margin and margin-semihard of simclr", "--margin");
        command.only(!margins, "without --loss margin and margin-semihard", "--temperature");
        command.only(simclr && loss.equals("debiased"), "with --loss debiased of simclr", "--class-prior");
        command.only(!head().equals("none"), "with a --head", "--head-norm", "--hidden", "--projection");
        command.only(!head().equals("linear"), "with --head nonlinear and deep", "--hidden");
        command.only(learningRate == null, "without --learning-rate, which is the rate whatever the batch", "--lr-scaling");
        command.only(!optimiser.startsWith("adam"), "with --optimizer lars, sgd and nesterov", "--momentum");
    }

    private String head() {
        return head != null ? head : method.equals("mocov1") ? "linear" : "nonlinear";
    }

    /**
     * The settings.
     *
     * @param images how many there are
     * @throws IllegalArgumentException if a value is out of range
     */
    PretrainSettings settings(long seed, int images) {
        boolean moco = method.startsWith("moco");
        double m = momentumEncoder != null ? momentumEncoder : images < MANY ? 0.99 : 0.999;
        // A batch out of range is said below.
        int size = Math.max(1, Math.min(batch, images));
        MethodSettings how = new MethodSettings(method, loss,
                temperature != null ? temperature : method.equals("mocov1") ? 0.07 : 0.2, margin, classPrior,
                queue != null ? queue : images < MANY ? 4096 : 65_536, m, momentumEncoderEnd != null ? momentumEncoderEnd : m,
                symmetric);
        Head projectionHead = Head.of(head(), hidden,
                projection != null ? projection : width < 1 ? 64 : 128, headNorm != null ? headNorm : !moco, keepHead);
        Composition first = Composition.of(views != null ? views : views(method, imageSize));
        double warmup = warmupEpochs != null ? warmupEpochs : moco && optimiser.equals("sgd") ? 0 : OptimiserSettings.warmup(epochs);
        // It is checked where another rate was given, too.
        double rate = OptimiserSettings.rate(optimiser, scaling, size);
        OptimiserSettings moves = new OptimiserSettings(optimiser, learningRate != null ? learningRate : rate, weightDecay, momentum,
                warmup, schedule != null ? schedule : method.equals("mocov1") ? "step" : "cosine", clip, weightAverage);
        PretrainSettings s = new PretrainSettings(ResNet.of(encoder, width, stem), imageSize, projectionHead, first,
                views2 == null ? first : Composition.of(views2), how, moves, batch, microBatch,
                bnSplits != null ? bnSplits : moco ? splits() : 0, epochs, mixed,
                zeroGamma != null ? zeroGamma : OptimiserSettings.zeroGamma(optimiser), seed);
        int keys = s.on(images).batch() * (symmetric ? 2 : 1);
        if (moco && how.queue() < keys) {
            throw new IllegalArgumentException("--queue must hold the keys of a batch, " + keys + " or more, found " + how.queue());
        }
        return s;
    }

    /** The most groups up to 8 that the batch can be split into, of 8 images at least. */
    private int splits() {
        int micro = microBatch == 0 ? 1 : Math.max(1, batch / microBatch);
        for (int n = 8; n > 1; n--) {
            if (n % micro == 0 && batch % n == 0 && batch / n >= 8) {
                return n;
            }
        }
        return 0;
    }

    private static String views(String method, int imageSize) {
        boolean small = imageSize <= SMALL;
        return switch (method) {
            case "mocov1" -> "mocov1";
            case "mocov2" -> small ? "mocov2-cifar" : "mocov2";
            default -> small ? "simclr-cifar" : "simclr";
        };
    }
}
