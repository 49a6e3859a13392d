package io.mapstream.server;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * One encoded {@code MapResponse}: any number of results, then the fields that end it (id, status).
 * The results were encoded where they were emitted, so that the transport's thread only copies
 * bytes, into the transport's buffer.
 */
final class Response {

  private final @Nullable Emission results;
  private final int count;
  private final byte[] tail;
  private final int size;

  /** Creates a response without results: the handshake's echo or an EOT. */
  Response(byte[] tail) {
    this(null, 0, 0, tail);
  }

  /**
   * Creates a response with results.
   *
   * @param results the first of {@code count} linked results
   * @param resultBytes the sum of their sizes
   * @param tail the encoded id
   */
  Response(@Nullable Emission results, int count, int resultBytes, byte[] tail) {
    this.results = results;
    this.count = count;
    this.tail = tail;
    this.size = resultBytes + tail.length;
  }

  int size() {
    return size;
  }

  int count() {
    return count;
  }

  /** Returns the sum of the results' sizes. */
  int resultBytes() {
    return size - tail.length;
  }

  private void writeTo(OutputStream out) throws IOException {
    Emission result = results;
    for (int i = 0; i < count && result != null; i++) {
      result.writeTo(out);
      result = result.next();
    }
    out.write(tail);
  }

  /**
   * Returns the stream from which gRPC takes a message: its length first, then its bytes. To be
   * called once: the memory of large results is reused after that.
   */
  InputStream open() {
    return new Bytes(this);
  }

  private static final class Bytes extends InputStream implements KnownLength, Drainable {

    private @Nullable Response unread;
    private @Nullable InputStream copy;

    Bytes(Response response) {
      this.unread = response;
    }

    @Override
    public int available() throws IOException {
      return unread != null ? unread.size : copy != null ? copy.available() : 0;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      Response response = unread;
      if (response == null) {
        return 0;
      }
      unread = null;
      response.writeTo(target);
      return response.size;
    }

    /** gRPC drains the stream; reading is for interceptors and in-process transports. */
    @Override
    public int read() throws IOException {
      return copy().read();
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      return copy().read(target, offset, length);
    }

    private InputStream copy() throws IOException {
      InputStream bytes = copy;
      if (bytes == null) {
        var buffer = new java.io.ByteArrayOutputStream(available());
        drainTo(buffer);
        bytes = new ByteArrayInputStream(buffer.toByteArray());
        copy = bytes;
      }
      return bytes;
    }
  }
}
