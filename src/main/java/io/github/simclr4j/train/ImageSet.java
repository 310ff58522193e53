package io.github.simclr4j.train;

import io.github.simclr4j.data.ResidentImages;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.RgbImage;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Images in memory. The arrays are not copied.
 *
 * @param side in pixels
 * @param pixels an array an image, [side, side, 3], unsigned bytes
 * @param labels class of each image, an index into {@code classes}; null where there are none
 * @param classes names of the classes, in order
 * @param skipped images that could not be read, and why
 * @param fingerprint SHA-256 over all pixels in order, in hexadecimal
 */
public record ImageSet(int side, List<byte[]> pixels, int[] labels, List<String> classes, List<String> skipped,
        String fingerprint) implements TrainingImages {

    @Override
    public int count() {
        return pixels.size();
    }

    /** Images that are already decoded, without labels. */
    public static ImageSet of(List<RgbImage> images, int side) {
        Preprocessing rule = new Preprocessing(side);
        List<byte[]> pixels = images.stream().map(i -> rule.apply(i).rgb()).toList();
        return new ImageSet(side, pixels, null, List.of(), List.of(), fingerprint(side, pixels));
    }

    private static String fingerprint(int side, List<byte[]> pixels) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((side + "x" + pixels.size()).getBytes(StandardCharsets.UTF_8));
            pixels.forEach(digest::update);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Some of the images.
     *
     * @param images their numbers
     */
    public ImageSet only(int[] images) {
        List<byte[]> some = Arrays.stream(images).mapToObj(pixels::get).toList();
        return new ImageSet(side, some, labels == null ? null : Arrays.stream(images).map(i -> labels[i]).toArray(), classes,
                List.of(), fingerprint(side, some));
    }

    /** The images of a source that are in memory. */
    public static ImageSet of(ResidentImages images) {
        boolean labelled = Arrays.stream(images.labels()).allMatch(l -> l >= 0);
        return new ImageSet(images.side(), images.pixels(), labelled ? images.labels() : null,
                labelled ? images.classes() : List.of(), images.skipped().stream().map(Object::toString).toList(),
                images.fingerprint());
    }
}
