package io.github.simclr4j.train.torch;
import java.io.*;import java.nio.charset.StandardCharsets;import java.util.zip.*;
final class TmpArchive {
 static byte[] of(String s) throws IOException { return archive(s); }
    /** A stored zip; the pickle is that of an object of class Net with the one attribute that every module has. */
    private static byte[] archive(String script) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2});
        pickle.writeBytes("c__torch__\nNet\n)".getBytes(StandardCharsets.US_ASCII));
        pickle.writeBytes(new byte[] {(byte) 0x81, '}', '(', 'X', 8, 0, 0, 0});
        pickle.writeBytes("training".getBytes(StandardCharsets.US_ASCII));
        pickle.writeBytes(new byte[] {(byte) 0x88, 'u', 'b', '.'});
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setMethod(ZipOutputStream.STORED);
            store(zip, "net/data.pkl", pickle.toByteArray());
            store(zip, "net/code/__torch__.py", script.getBytes(StandardCharsets.UTF_8));
            store(zip, "net/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            store(zip, "net/version", "3\n".getBytes(StandardCharsets.US_ASCII));
        }
        return bytes.toByteArray();
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
