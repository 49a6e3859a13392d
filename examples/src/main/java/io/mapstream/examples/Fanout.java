package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.StringTokenizer;

/**
 * Answers the datum {@code count size delayMs} with {@code count} messages of {@code size} bytes
 * and the datum's keys, sleeping {@code delayMs} milliseconds before each. The first four bytes of
 * a message are its index, big-endian, so that a load test can detect missing messages.
 */
public final class Fanout implements MapStreamer {

  private static final int SMALLEST = Integer.BYTES;
  private static final int HEAD = 64;

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new Fanout());
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws InterruptedException {
    StringTokenizer words = new StringTokenizer(head(datum));
    int count = next(words, "count", 0, datum);
    int size = next(words, "size", SMALLEST, datum);
    int delayMillis = next(words, "delayMs", 0, datum);
    for (int index = 0; index < count; index++) {
      if (delayMillis > 0) {
        Thread.sleep(delayMillis);
      }
      byte[] value = new byte[size];
      ByteBuffer.wrap(value).putInt(index);
      sink.emit(new Message(value, keys, List.of()));
    }
  }

  /** Returns the part with the three numbers; load tests pad datums with spaces to a given size. */
  private static String head(Datum datum) {
    byte[] value = datum.value();
    return new String(value, 0, Math.min(value.length, HEAD), US_ASCII);
  }

  private static int next(StringTokenizer words, String name, int least, Datum datum) {
    String word = words.hasMoreTokens() ? words.nextToken() : "";
    try {
      int number = Integer.parseInt(word);
      if (number >= least) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Reported below, with the given text.
    }
    throw new IllegalArgumentException(
        "%s must be a number of at least %d but was \"%s\" in the datum \"%s\" (count size delayMs)"
            .formatted(name, least, word, head(datum).strip()));
  }
}
