package io.mapstream.examples;

import static java.util.Locale.ROOT;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.NackOptions;
import io.mapstream.server.MapStreamServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * Calls a service that can go wrong in several ways, and leaves the retry to whom it suits best. A
 * handler that throws stops the process, and with it all datums that are in work; the marks are
 * about the one datum.
 *
 * <table>
 * <caption>What follows from what went wrong</caption>
 * <tr><th>the service</th><th>the datum</th><th>why</th></tr>
 * <tr><td>is busy, and says until when</td><td>nack with that delay, at most 5 deliveries</td>
 *     <td>the source keeps it meanwhile; here it would take up a place</td></tr>
 * <tr><td>had a hiccup ({@link IOException})</td><td>fail</td>
 *     <td>the platform retries at once, by the {@code retryStrategy} of the vertex; on a Numaflow
 *     release after 1.8.3 only: up to that one, emit a nack here as well</td></tr>
 * <tr><td>refuses the datum ({@link IllegalArgumentException})</td>
 *     <td>nack with the reason, no further delivery</td>
 *     <td>it will be refused each time; the source can put it aside</td></tr>
 * <tr><td>anything else</td><td>thrown</td>
 *     <td>a fault of this program: a restart, and a stack trace for people</td></tr>
 * </table>
 *
 * <p>What a source makes of a nack's options is up to the source. {@code main} serves a function
 * whose service does what the line says.
 */
public final class Retrying implements MapStreamer {

  private static final int MOST_DELIVERIES = 5;

  /** What this function needs from outside. */
  @FunctionalInterface
  interface Service {
    String call(String request) throws IOException, BusyException;
  }

  /** A service that could answer later. */
  static final class BusyException extends Exception {
    private static final long serialVersionUID = 1;

    private final Duration retryAfter;

    BusyException(Duration retryAfter) {
      super("busy for " + retryAfter.toMillis() + " ms");
      this.retryAfter = retryAfter;
    }

    Duration retryAfter() {
      return retryAfter;
    }
  }

  private final Service service;

  /** Makes a function that calls a service. */
  Retrying(Service service) {
    this.service = service;
  }

  /** Serves this function until the process is told to end. */
  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new Retrying(Retrying::doAsToldBy));
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    sink.emit(answer(datum));
  }

  private Message answer(Datum datum) {
    try {
      return Message.of(service.call(datum.text()));
    } catch (BusyException e) {
      return Message.toNack(
          NackOptions.builder()
              .reason(e.getMessage())
              .delay(e.retryAfter())
              .maxDeliveries(MOST_DELIVERIES)
              .build());
    } catch (IOException e) {
      // Nothing may follow a fail mark, so a function that emits more has to return here.
      return Message.toFail();
    } catch (IllegalArgumentException e) {
      return Message.toNack(NackOptions.builder().reason(e.getMessage()).maxDeliveries(1).build());
    }
  }

  /** A service for people to try: "busy 200", "hiccup", "refuse", or a text to be answered. */
  static String doAsToldBy(String line) throws IOException, BusyException {
    String[] words = line.strip().split("\\s+", 2);
    return switch (words[0]) {
      case "busy" -> throw new BusyException(millis(words));
      case "hiccup" -> throw new IOException("the connection was reset");
      case "refuse" -> throw new IllegalArgumentException("refused: \"" + line.strip() + "\"");
      default -> line.toUpperCase(ROOT);
    };
  }

  private static Duration millis(String[] words) {
    String given = words.length == 2 ? words[1] : "";
    if (!given.matches("\\d{1,9}")) {
      throw new IllegalArgumentException(
          "\"busy\" takes milliseconds but was given \"" + given + "\"");
    }
    return Duration.ofMillis(Long.parseLong(given));
  }
}
