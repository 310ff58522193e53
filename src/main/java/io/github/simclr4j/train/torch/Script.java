// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Compiled TorchScript that Java has written.
 *
 * <p>A script owns its compiled code until it is closed, but no tensors: they are arguments and results. Several threads may call a
 * script at once if their arrays are separate, or if the names of shared arrays do not change.
 *
 * <p>The text is one or more methods in the language of TorchScript archives, indented by two spaces:
 *
 * <pre>
 *   def twice(self: __torch__.Net, x: Tensor, w: Dict[str, Tensor]) -&gt; List[Tensor]:
 *     y = torch.mul(x, w["scale"])
 *     return [y, torch.mul(y, 2.)]
 * </pre>
 *
 * <p>libtorch silently removes in-place operations on a list that the script writes as {@code [a, b]}. The operands of such
 * operations must be arguments, or lists made with {@code torch.append}.
 *
 * @since 0.1.0
 */
public final class Script implements AutoCloseable {
    private static final String HEAD =
            "class Net(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n";

    private final NDManager manager;
    private final PtSymbolBlock module;

    private Script(String methods, NDManager manager) {
        this.manager = manager;
        try {
            module = Torch.load(manager, archive(HEAD + methods));
        } catch (Throwable e) {
            manager.close();
            throw e;
        }
    }

    /**
     * Compiles a script, for the CPU and GPUs alike.
     *
     * @param methods text of the methods
     * @throws ai.djl.engine.EngineException if the text is not valid TorchScript; the message quotes the line
     */
    public static Script of(String methods) {
        return new Script(methods, Torch.engine().newBaseManager(Device.cpu()));
    }

    /**
     * Compiles a script that is freed with a manager, or earlier by {@link #close}.
     *
     * @param methods text of the methods
     * @param owner the manager
     * @throws ai.djl.engine.EngineException if the text is not valid TorchScript; the message quotes the line
     */
    public static Script of(String methods, NDManager owner) {
        return new Script(methods, owner.newSubManager());
    }

    /**
     * Calls a method on tensors.
     *
     * <p>The names of the inputs map them to the arguments of the method, in order:
     *
     * <ul>
     *   <li>an array without a name is a {@code Tensor};
     *   <li>arrays named {@code NAME.KEY} are the entries KEY of one {@code Dict[str, Tensor]};
     *   <li>arrays that are all named {@code NAME[]} are one {@code List[Tensor]}.
     * </ul>
     *
     * <p>A dictionary or list has at least one entry.
     *
     * @param method name of the method
     * @param gradients whether the results can be differentiated with respect to inputs that require gradients
     * @param inputs the arguments
     * @return the results, owned by the manager of the first input
     * @throws ai.djl.engine.EngineException if the method fails; the message quotes the line
     */
    public NDList run(String method, boolean gradients, NDList inputs) {
        return Torch.call(module, method, gradients, inputs);
    }

    /**
     * Calls a method that writes into tensors and returns a number ({@code float}, {@code int}, or {@code bool} as 1 or 0).
     *
     * <p>Its operations are not recorded for gradients. It may write into weights that require gradients.
     *
     * @param method name of the method
     * @param arguments tensors, collections of tensors ({@code List[Tensor]}), maps of tensors ({@code Dict[str, Tensor]}),
     *     Double ({@code float}), Integer ({@code int}) and Boolean ({@code bool})
     * @throws ai.djl.engine.EngineException if the method fails; the message quotes the line
     */
    public double update(String method, Object... arguments) {
        return Torch.update(module, method, arguments);
    }

    @Override
    public void close() {
        manager.close();
    }

    /** Returns an archive that libtorch can load: an uncompressed zip file of the text and a pickled object of its class. */
    private static byte[] archive(String text) {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        // Pickle protocol 2: an object of class Net with the one attribute that every module has.
        pickle.writeBytes(new byte[] {(byte) 0x80, 2});
        pickle.writeBytes(ascii("c__torch__\nNet\n)"));
        pickle.writeBytes(new byte[] {(byte) 0x81, '}', '(', 'X', 8, 0, 0, 0});
        pickle.writeBytes(ascii("training"));
        pickle.writeBytes(new byte[] {(byte) 0x88, 'u', 'b', '.'});
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setMethod(ZipOutputStream.STORED);
            store(zip, "net/data.pkl", pickle.toByteArray());
            store(zip, "net/code/__torch__.py", text.getBytes(StandardCharsets.UTF_8));
            store(zip, "net/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            store(zip, "net/version", ascii("3\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(content);
        ZipEntry entry = new ZipEntry(name);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
