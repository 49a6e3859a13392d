package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends a datum as a prompt to an HTTP endpoint that answers with server-sent events, as language
 * models do, and passes each event on as it arrives. The call simply blocks: on virtual threads, a
 * thousand open answers cost little more than their sockets.
 *
 * <p>A cancel interrupts the read and closes the response, so that the endpoint stops working on an
 * answer that is no longer needed. If the endpoint is overloaded or broken (429, 5xx), cannot be
 * reached, breaks off or takes more than five minutes, the datum goes back to its source (Numaflow
 * 1.8.2 and newer), which delivers it again; events that were already sent are then repeated. If
 * the endpoint refuses the request, it is not called again, and the datum is answered with the
 * status and the tag {@value #ERROR}.
 *
 * <p>{@code TOKENS_URL} names the endpoint; without it, {@code main} starts one in this process
 * that slowly repeats each word of the prompt.
 */
public final class TokenStream implements MapStreamer {

  static final String ERROR = "error";

  /** The data of the event with which many endpoints end an answer. */
  private static final String DONE = "[DONE]";

  private static final int OK = 200;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int SERVER_ERROR = 500;

  /** The time limit for the connection, and for the status. */
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /** The time limit for the events. Without it, a silent endpoint would block forever. */
  static final Duration LONGEST_ANSWER = Duration.ofMinutes(5);

  private final HttpClient client;
  private final URI endpoint;
  private final Duration longestAnswer;

  /** Creates a function that calls an endpoint. */
  public TokenStream(HttpClient client, URI endpoint, Duration longestAnswer) {
    this.client = client;
    this.endpoint = endpoint;
    this.longestAnswer = longestAnswer;
  }

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    String url = System.getenv("TOKENS_URL");
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
        TokenEndpoint own = url == null ? TokenEndpoint.start() : null) {
      URI endpoint = own == null ? URI.create(url) : own.uri();
      MapStreamServer.run(new TokenStream(client, endpoint, LONGEST_ANSWER));
    }
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws InterruptedException {
    try {
      passOn(datum, sink);
    } catch (IOException e) {
      // After a cancel, which breaks the read, emit throws, and that ends the handler.
      sink.emit(Message.toNack());
    }
  }

  private void passOn(Datum datum, MessageSink sink) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(endpoint)
            .timeout(TIMEOUT)
            .header("Accept", "text/event-stream")
            .POST(BodyPublishers.ofByteArray(datum.value()))
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    Thread limit = Thread.startVirtualThread(() -> closeLate(response.body()));
    // Closing the body before its end closes the connection, or resets the stream with HTTP/2.
    try (var lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
      int status = response.statusCode();
      if (status == OK) {
        emitEvents(lines, sink);
      } else if (status == TOO_MANY_REQUESTS || status >= SERVER_ERROR) {
        sink.emit(Message.toNack());
      } else {
        sink.emit(Message.of(endpoint + " answered " + status).withTags(ERROR));
      }
    } finally {
      limit.interrupt();
    }
  }

  /** Limits the body, which the request's timeout does not; the read then fails. */
  private void closeLate(InputStream body) {
    try {
      Thread.sleep(longestAnswer);
      body.close();
    } catch (InterruptedException | IOException e) {
      // The answer has already ended or been closed.
    }
  }

  /**
   * An event is a group of lines that ends with an empty line. Lines that begin with {@code data:}
   * are its data; comments, names and ids of events are ignored, and so is an incomplete event.
   */
  private static void emitEvents(BufferedReader lines, MessageSink sink) throws IOException {
    List<String> data = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("data:")) {
        String value = line.substring("data:".length());
        data.add(value.startsWith(" ") ? value.substring(1) : value);
      } else if (line.isEmpty() && !data.isEmpty()) {
        String event = String.join("\n", data);
        if (event.equals(DONE)) {
          return;
        }
        sink.emit(event);
        data.clear();
      }
    }
  }
}
