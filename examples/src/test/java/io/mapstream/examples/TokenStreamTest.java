package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenStreamTest {

  private static final long LIMIT_SECONDS = 10;

  /** In place of text: closes the response. */
  private static final String END = "END";

  /** In place of text: breaks the connection. */
  private static final String BREAK = "BREAK";

  /** In place of text: writes until the client has gone. */
  private static final String FLOOD = "FLOOD";

  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client = HttpClient.newHttpClient();
  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch clientGone = new CountDownLatch(1);

  /** What the endpoint writes next. */
  private final BlockingQueue<String> answer = new ArrayBlockingQueue<>(100);

  private volatile int status = 200;
  private volatile String prompt = "";

  private HttpServer endpoint;
  private URI uri;
  private MapStreamHarness harness;

  @BeforeEach
  void start() throws IOException {
    endpoint = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    endpoint.setExecutor(executor);
    endpoint.createContext("/", this::answer);
    endpoint.start();
    uri = URI.create("http://localhost:" + endpoint.getAddress().getPort() + "/");
    harness = MapStreamHarness.of(new TokenStream(client, uri, TokenStream.LONGEST_ANSWER));
  }

  @AfterEach
  void stop() {
    try {
      harness.close();
    } finally {
      endpoint.stop(0);
      executor.shutdownNow();
      client.shutdownNow();
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try {
      prompt = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      asked.countDown();
      if (status == 0) {
        awaitForever();
      }
      exchange.sendResponseHeaders(status, 0);
      exchange.getResponseBody().flush();
      for (String text = take(); !text.equals(END); text = take()) {
        if (text.equals(BREAK)) {
          // The server closes the connection of an exchange that throws, without the last chunk.
          throw new IOException("broken by the test");
        }
        write(exchange, text);
      }
      exchange.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(HttpExchange exchange, String text) throws IOException {
    boolean flood = text.equals(FLOOD);
    try {
      do {
        exchange.getResponseBody().write((flood ? ": x\n" : text).getBytes(UTF_8));
        exchange.getResponseBody().flush();
      } while (flood);
    } catch (IOException e) {
      clientGone.countDown();
      throw e;
    }
  }

  private String take() throws InterruptedException {
    String text = answer.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
    return text == null ? END : text;
  }

  private static void awaitForever() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  @Test
  void eachEventIsAMessage() {
    answer.addAll(List.of("data: Hello\n\nda", "ta: world\n\n", END));

    assertEquals(List.of("Hello", "world"), harness.process("greet").texts());
    assertEquals("greet", prompt);
  }

  @Test
  void anEventIsEmittedWhileTheResponseIsOpen() {
    Reply tokens = harness.send("greet");

    answer.add("data: Hello\n\n");
    assertEquals("Hello", tokens.next().text());
    assertTrue(tokens.isRunning());

    answer.add("data: world\n\n");
    assertEquals("world", tokens.next().text());

    answer.add(END);
    assertEquals(Messages.empty(), tokens.remaining());
  }

  @Test
  void dataLinesOfAnEventAreJoined() {
    answer.addAll(
        List.of(
            "event: token\nid: 1\ndata: two\ndata:lines\nretry: 5\n\n",
            ": a comment keeps the connection open\n\n",
            "data:\r\n\r\n",
            "data: of an event that is cut off\n",
            END));

    assertEquals(List.of("two\nlines", ""), harness.process("x").texts());
  }

  @Test
  void theAnswerEndsWithDone() {
    answer.addAll(List.of("data: Hello\n\n", "data: [DONE]\n\n"));

    assertEquals(List.of("Hello"), harness.process("x").texts());
  }

  @Test
  void cancelClosesTheResponse() throws Exception {
    Reply tokens = harness.send("greet");
    answer.add("data: Hello\n\n");
    assertEquals("Hello", tokens.next().text());

    tokens.cancel(); // while the handler waits for another event

    assertTrue(tokens.failure().isPresent());
    answer.add(FLOOD);
    assertTrue(clientGone.await(LIMIT_SECONDS, TimeUnit.SECONDS), "the connection has to close");
  }

  @Test
  void cancelEndsTheWaitForAResponse() throws Exception {
    status = 0;
    Reply tokens = harness.send("greet");
    assertTrue(asked.await(LIMIT_SECONDS, TimeUnit.SECONDS), "the endpoint has to be asked");

    tokens.cancel();

    assertInstanceOf(InterruptedException.class, tokens.failure().orElseThrow());
  }

  @Test
  void aConnectionThatBreaksFailsTheDatum() {
    answer.addAll(List.of("data: Hello\n\n", BREAK));

    assertEquals(List.of(Message.of("Hello"), Message.toNack()), harness.process("x"));
  }

  @Test
  void anEndpointThatCannotBeReachedFailsTheDatum() {
    endpoint.stop(0);

    assertEquals(List.of(Message.toNack()), harness.process("x"));
  }

  /** The endpoint sends nothing more, but does not close the response. */
  @Test
  void anAnswerThatTakesTooLongFailsTheDatum() {
    answer.add("data: Hello\n\n");
    try (var hasty = MapStreamHarness.of(new TokenStream(client, uri, Duration.ofMillis(300)))) {
      assertEquals(Message.toNack(), hasty.process("x").getLast());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 500, 503})
  void aTemporaryErrorStatusFailsTheDatum(int code) {
    status = code;
    answer.add(END);

    assertEquals(List.of(Message.toNack()), harness.process("x"));
  }

  @Test
  void aRefusedRequestIsAnsweredWithTheStatus() {
    status = 404;
    answer.add(END);

    Message message = harness.process("x").getFirst();

    assertEquals(List.of(TokenStream.ERROR), message.tags());
    assertTrue(message.text().endsWith("/ answered 404"), message.text());
  }

  @Test
  void theDemosEndpointStreamsEachWord() throws Exception {
    try (TokenEndpoint own = TokenEndpoint.start();
        var words =
            MapStreamHarness.of(new TokenStream(client, own.uri(), TokenStream.LONGEST_ANSWER))) {
      assertEquals(List.of("one", "two"), words.process("one two").texts());
    }
  }
}
