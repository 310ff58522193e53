package io.github.simclr4j.train;

import io.github.simclr4j.onnx.Images;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Unlabelled images in memory, squares of one size.
 *
 * @param side in pixels
 * @param pixels an array an image, [size, size, 3], unsigned bytes
 * @param skipped files that could not be read
 * @param fingerprint SHA-256 over all pixels in order, in hexadecimal
 */
public record ImageSet(int side, List<byte[]> pixels, int[] labels, List<String> classes, List<String> skipped,
        String fingerprint) implements TrainingImages {

    @Override
    public int count() {
        return pixels.size();
    }

    /** Images that are already decoded. */
    public static ImageSet of(List<RgbImage> images, int size) {
        Preprocessing rule = new Preprocessing(size);
        List<byte[]> pixels = images.stream().map(i -> rule.apply(i).rgb()).toList();
        return new ImageSet(size, pixels, null, List.of(), List.of(), fingerprint(size, pixels));
    }

    /**
     * Reads the images below a folder. An image that is larger than {@code imageSize} is kept at up to twice that size,
     * so that a small crop of it is still sharp; all have the same size.
     *
     * @param folder searched recursively
     * @param imageSize side of the views
     * @param limit at most so many images, chosen at random by the seed; 0 for all
     * @param seed of that choice
     * @param progress told how far it is, and of each file that is skipped
     * @throws IOException if there is no readable image
     */
    public static ImageSet read(Path folder, int imageSize, int limit, long seed, Progress progress)
            throws IOException {
        List<Path> files = new ArrayList<>(Images.find(folder));
        if (files.isEmpty()) {
            throw new IOException("No images in " + folder + ": expected JPEG, PNG, BMP or GIF files, at any depth");
        }
        if (limit > 0 && limit < files.size()) {
            Collections.shuffle(files, new Random(seed));
            files = new ArrayList<>(files.subList(0, limit));
            Collections.sort(files);
        }
        int largest = 2 * imageSize;
        Preprocessing shrink = new Preprocessing(Math.min(1024, largest));
        RgbImage[] images = new RgbImage[files.size()];
        String[] errors = new String[files.size()];
        List<Path> all = files;
        AtomicInteger done = new AtomicInteger();
        progress.start("reading images", images.length);
        IntStream.range(0, images.length).parallel().forEach(i -> {
            try {
                RgbImage image = Images.read(all.get(i));
                boolean large = Math.min(image.width(), image.height()) > shrink.size();
                images[i] = large ? shrink.apply(image) : image;
            } catch (IOException e) {
                errors[i] = e.getMessage();
            }
            progress.at(done.incrementAndGet(), "");
        });
        progress.end();
        List<RgbImage> good = new ArrayList<>();
        List<Path> skipped = new ArrayList<>();
        int side = imageSize;
        for (int i = 0; i < images.length; i++) {
            if (images[i] == null) {
                progress.warn("skipped " + errors[i]);
                skipped.add(files.get(i));
            } else {
                good.add(images[i]);
                side = Math.max(side, Math.min(images[i].width(), images[i].height()));
            }
        }
        if (good.isEmpty()) {
            throw new IOException("No readable image in " + folder + ": all " + skipped.size() + " files are damaged");
        }
        Preprocessing rule = new Preprocessing(side);
        List<byte[]> pixels = good.parallelStream().map(i -> rule.apply(i).rgb()).toList();
        return new ImageSet(side, pixels, null, List.of(), skipped.stream().map(Path::toString).toList(), fingerprint(side, pixels));
    }

    private static String fingerprint(int size, List<byte[]> pixels) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((size + "x" + pixels.size()).getBytes(StandardCharsets.UTF_8));
            pixels.forEach(digest::update);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
