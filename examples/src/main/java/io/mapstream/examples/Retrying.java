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
 * Calls a service that can fail in several ways, and leaves each retry to the source or the
 * platform. A handler that throws stops the process, and with it all datums in work; a mark affects
 * only its datum.
 *
 * <table>
 * <caption>Failures and their answers</caption>
 * <tr><th>the service</th><th>the datum</th><th>why</th></tr>
 * <tr><td>is busy, and reports for how long</td><td>nack with that delay, at most 5 deliveries</td>
 *     <td>the source keeps it meanwhile; a wait here would use capacity</td></tr>
 * <tr><td>had a temporary failure ({@link IOException})</td><td>fail</td>
 *     <td>the platform retries at once, by the {@code retryStrategy} of the vertex; only on Numaflow releases after 1.8.3: on earlier ones, emit a nack instead</td></tr>
 * <tr><td>refuses the datum ({@link IllegalArgumentException})</td>
 *     <td>nack with the reason, no further delivery</td>
 *     <td>it would be refused each time; the source can divert it</td></tr>
 * <tr><td>anything else</td><td>thrown</td>
 *     <td>a bug in this program: a restart, and a stack trace for its developers</td></tr>
 * </table>
 *
 * <p>How a nack's options are used depends on the source. {@code main} serves a function whose
 * service does what the datum asks for.
 */
public final class Retrying implements MapStreamer {

  private static final int MOST_DELIVERIES = 5;

  /** The service that this function calls. */
  @FunctionalInterface
  interface Service {
    String call(String request) throws IOException, BusyException;
  }

  /** Thrown by a service that can answer later. */
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

  /** Creates a function that calls a service. */
  Retrying(Service service) {
    this.service = service;
  }

  /** Serves this function until the process is stopped. */
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
      // Nothing may follow a fail mark, so a function that emits more must return here.
      return Message.toFail();
    } catch (IllegalArgumentException e) {
      return Message.toNack(NackOptions.builder().reason(e.getMessage()).maxDeliveries(1).build());
    }
  }

  /** A service to try out: accepts "busy 200", "hiccup", "refuse", or a text to answer. */
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
