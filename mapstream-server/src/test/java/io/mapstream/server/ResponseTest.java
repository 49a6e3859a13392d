package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.mapstream.Message;
import io.mapstream.proto.map.v1.MapResponse;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** The memory of a large result is made of segments, which another result has used before. */
  @ParameterizedTest
  @ValueSource(ints = {-40, -1, 0, 1, SegmentPool.SEGMENT, 200_000})
  void aLargeResultHasTheBytesOfItsMessage(int beyondSegment) throws Exception {
    byte[] value = new byte[SegmentPool.SEGMENT + beyondSegment];
    new Random(value.length).nextBytes(value);
    Message message =
        Message.of(value).withKeys(List.of("k".repeat(300), "l")).withTags(List.of("t"));
    SegmentPool pool = new SegmentPool(100 * SegmentPool.SEGMENT);
    Message before = Message.of(new byte[300_000]);
    Emission.result(new ResultEncoding(before), null, pool)
        .writeTo(OutputStream.nullOutputStream());
    Emission result = Emission.result(new ResultEncoding(message), null, pool);

    MapResponse read =
        MapResponse.parseFrom(
            new Response(result, 1, result.size(), WireMapping.encodeId("id")).open());

    assertEquals("id", read.getId());
    assertEquals(message.keys(), read.getResults(0).getKeysList());
    assertEquals(message.tags(), read.getResults(0).getTagsList());
    assertArrayEquals(value, read.getResults(0).getValue().toByteArray());
  }

  /** For long keys, protobuf would allocate more than segments save. */
  @ParameterizedTest
  @CsvSource({
    "-1, 1, false",
    "0, 1, true",
    "0, 16000, true",
    "0, 17000, false",
    "20000, 17000, false"
  })
  void onlyALargeValueIsWorthSegments(int beyondSegment, int keyLength, boolean isWorth) {
    Message message =
        Message.of(new byte[SegmentPool.SEGMENT + beyondSegment]).withKeys("k".repeat(keyLength));

    assertEquals(isWorth, new ResultEncoding(message).hasLargeValue());
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
