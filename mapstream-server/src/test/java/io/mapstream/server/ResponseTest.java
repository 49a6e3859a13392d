package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.mapstream.Message;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

/** The bytes of a response, as gRPC reads them. */
class ResponseTest {

  private static Emission emission(Message message) {
    return Emission.unbounded(new ResultEncoding(message));
  }

  private static Response response() {
    Emission first = emission(Message.of("small"));
    Emission second = emission(Message.of(new byte[5_000]));
    first.linkTo(second);
    second.linkTo(emission(Message.of("of the next response")));
    return new Response(first, 2, first.size() + second.size(), WireMapping.encodeId("id"));
  }

  @Test
  void drainedAndReadBytesAreTheSameAndAsManyAsAnnounced() throws Exception {
    Response response = response();
    InputStream drained = response.open();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    assertEquals(response.size(), ((KnownLength) drained).available());
    assertEquals(response.size(), ((Drainable) drained).drainTo(bytes));
    assertEquals(response.size(), bytes.size());
    assertEquals(0, drained.available());
    assertEquals(0, ((Drainable) drained).drainTo(bytes));
    assertEquals(-1, drained.read());

    assertArrayEquals(bytes.toByteArray(), response.open().readAllBytes());
  }

  @Test
  void bytesReadOneByOneCountDown() throws Exception {
    InputStream read = response().open();
    int left = response().size();
    while (left > 0) {
      assertEquals(left--, read.available());
      read.read();
    }
    assertEquals(-1, read.read());
  }
}
