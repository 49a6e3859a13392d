package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;

/**
 * The default endpoint of {@link TokenStream}: sends each word of the prompt as an event, with
 * pauses in between.
 */
record TokenEndpoint(HttpServer server) implements AutoCloseable {

  private static final long PAUSE_MILLIS = 50;

  /** Starts an endpoint on a free port of the loopback interface. */
  static TokenEndpoint start() throws IOException {
    InetAddress here = InetAddress.getLoopbackAddress();
    HttpServer server = HttpServer.create(new InetSocketAddress(here, 0), 0);
    server.setExecutor(Thread::startVirtualThread);
    server.createContext("/", TokenEndpoint::answer);
    server.start();
    return new TokenEndpoint(server);
  }

  URI uri() {
    InetSocketAddress address = server.getAddress();
    return URI.create(
        "http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + "/");
  }

  private static void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String prompt = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
      exchange.sendResponseHeaders(200, 0);
      OutputStream events = exchange.getResponseBody();
      for (String word : prompt.strip().split("\\s+", -1)) {
        Thread.sleep(PAUSE_MILLIS);
        events.write(("data: " + word + "\n\n").getBytes(UTF_8));
        events.flush();
      }
      events.write("data: [DONE]\n\n".getBytes(UTF_8));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
