package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.KnownLength;
import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.map.v1.TransmissionStatus;
import io.mapstream.proto.metadata.KeyValueGroup;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares every function of the mapping with the generated classes, on seeded random messages. */
class WireMappingTest {

  private static final int ROUNDS = 1_000;
  private static final int LIMIT = 64 << 20;

  private final Random random = new Random(20_26);

  private static List<String> fields(Descriptor message) {
    return message.getFields().stream().map(FieldDescriptor::getName).toList();
  }

  /** A new field fails here first. CONTRIBUTING.md lists the places to change. */
  @Test
  void eachFieldOfTheContractIsKnownHere() {
    assertEquals(
        List.of("request", "id", "handshake", "status"), fields(MapRequest.getDescriptor()));
    assertEquals(
        List.of("keys", "value", "event_time", "watermark", "headers", "metadata"),
        fields(MapRequest.Request.getDescriptor()));
    assertEquals(
        List.of("results", "id", "handshake", "status"), fields(MapResponse.getDescriptor()));
    assertEquals(
        List.of("keys", "value", "tags", "metadata", "nack_options"),
        fields(MapResponse.Result.getDescriptor()));
    Descriptor result = MapResponse.Result.getDescriptor();
    assertEquals(
        List.of("previous_vertex", "sys_metadata", "user_metadata"),
        fields(result.findFieldByName("metadata").getMessageType()));
    assertEquals(List.of("key_value"), fields(KeyValueGroup.getDescriptor()));
    assertEquals(
        List.of("reason", "max_deliveries", "delay", "nack_map"),
        fields(result.findFieldByName("nack_options").getMessageType()));
    assertEquals(List.of("sot"), fields(Handshake.getDescriptor()));
    assertEquals(List.of("eot"), fields(TransmissionStatus.getDescriptor()));
  }

  /** An uncompressed message, as gRPC passes it. */
  private static class Known extends ByteArrayInputStream implements KnownLength {
    Known(byte[] bytes) {
      super(bytes);
    }
  }

  /** A compressed message, as gRPC passes it: the remaining length is unknown. */
  private static final class Unknown extends InputStream {
    private final InputStream bytes;

    Unknown(byte[] bytes) {
      this.bytes = new ByteArrayInputStream(bytes);
    }

    @Override
    public int read() throws IOException {
      return bytes.read();
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      return bytes.read(target, offset, Math.min(length, 1_000));
    }

    @Override
    public int available() throws IOException {
      return Math.min(1, bytes.available());
    }
  }

  private static MapRequest.Request.Builder body(String text) {
    return MapRequest.Request.newBuilder()
        .setValue(ByteString.copyFromUtf8(text))
        .setEventTime(Timestamp.newBuilder().setSeconds(1_700_000_000))
        .setWatermark(Timestamp.newBuilder().setSeconds(1_600_000_000));
  }

  private static MapRequest datum(String id, String text) {
    return datum(id, body(text));
  }

  private static MapRequest datum(String id, MapRequest.Request.Builder body) {
    return MapRequest.newBuilder().setId(id).setRequest(body).build();
  }

  private static MapRequest eot(String id) {
    return MapRequest.newBuilder()
        .setId(id)
        .setStatus(TransmissionStatus.newBuilder().setEot(true))
        .build();
  }

  private static Request read(byte[] bytes) {
    Request known = WireMapping.readRequest(new Known(bytes), LIMIT);
    assertEquals(known, WireMapping.readRequest(new Unknown(bytes), LIMIT));
    return known;
  }

  // Random values, including empty and long ones.

  private String text() {
    String[] parts = {"", "a", "key", "ß", "地球", "🌍", "\u0000", "x".repeat(200)};
    return parts[random.nextInt(parts.length)] + parts[random.nextInt(parts.length)];
  }

  private byte[] bytes() {
    int[] sizes = {0, 1, 10, 1_023, 1_024, 1_025, 5_000, 20_000};
    byte[] bytes = new byte[sizes[random.nextInt(sizes.length)]];
    random.nextBytes(bytes);
    return bytes;
  }

  private List<String> texts() {
    List<String> texts = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      texts.add(text());
    }
    return texts;
  }

  private Map<String, String> textMap() {
    Map<String, String> map = new HashMap<>();
    texts().forEach(name -> map.put(name, text()));
    return map;
  }

  private Map<String, Map<String, byte[]>> groups() {
    Map<String, Map<String, byte[]>> groups = new HashMap<>();
    for (String group : texts()) {
      Map<String, byte[]> values = new HashMap<>();
      texts().forEach(key -> values.put(key, bytes()));
      groups.put(group, values);
    }
    return groups;
  }

  private static Map<String, KeyValueGroup> toProto(Map<String, Map<String, byte[]>> groups) {
    Map<String, KeyValueGroup> proto = new HashMap<>();
    groups.forEach((name, values) -> {
      var group = KeyValueGroup.newBuilder();
      values.forEach((key, bytes) -> group.putKeyValue(key, ByteString.copyFrom(bytes)));
      proto.put(name, group.build());
    });
    return proto;
  }

  private Timestamp timestamp() {
    return Timestamp.newBuilder()
        .setSeconds(random.nextLong(-62_135_596_800L, 253_402_300_800L) * random.nextInt(2))
        .setNanos(random.nextInt(1_000_000_000) * random.nextInt(2))
        .build();
  }

  private MapRequest.Request.Builder body() {
    var body =
        MapRequest.Request.newBuilder()
            .addAllKeys(texts())
            .setValue(ByteString.copyFrom(bytes()))
            .setEventTime(timestamp())
            .setWatermark(timestamp())
            .putAllHeaders(textMap());
    if (random.nextBoolean()) {
      body.setMetadata(
          io.mapstream.proto.metadata.Metadata.newBuilder()
              .setPreviousVertex(text())
              .putAllSysMetadata(toProto(groups()))
              .putAllUserMetadata(toProto(groups())));
    }
    return body;
  }

  private MapRequest request() {
    return MapRequest.newBuilder().setId("id" + text()).setRequest(body()).build();
  }

  // Requests.

  private static Instant instant(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
  }

  private static Metadata metadata(Map<String, KeyValueGroup> proto) {
    Map<String, Map<String, byte[]>> groups = new HashMap<>();
    proto.forEach((name, group) -> {
      Map<String, byte[]> values = new HashMap<>();
      group.getKeyValueMap().forEach((key, bytes) -> values.put(key, bytes.toByteArray()));
      groups.put(name, values);
    });
    return Metadata.of(groups);
  }

  /** The meaning of a request according to the generated classes. */
  private static Datum datum(MapRequest.Request body) {
    return Datum.of(
            body.getKeysList(),
            body.getValue().toByteArray(),
            body.hasEventTime() ? instant(body.getEventTime()) : WireMapping.UNKNOWN_TIME,
            body.hasWatermark() ? instant(body.getWatermark()) : WireMapping.UNKNOWN_TIME,
            body.getHeadersMap())
        .toBuilder()
        .userMetadata(metadata(body.getMetadata().getUserMetadataMap()))
        .systemMetadata(metadata(body.getMetadata().getSysMetadataMap()))
        .build();
  }

  private static Request.Data expected(MapRequest request) {
    return new Request.Data(
        request.getId(),
        datum(request.getRequest()),
        request.getSerializedSize(),
        request.getRequest().hasEventTime());
  }

  @Test
  void requestsAreReadAsTheGeneratedClassesWriteThem() {
    int large = 0;
    for (int i = 0; i < ROUNDS; i++) {
      MapRequest request = request();
      assertEquals(expected(request), read(request.toByteArray()));
      large += request.getSerializedSize() > 8 * 1024 ? 1 : 0;
    }
    assertTrue(large > 50 && large < ROUNDS - 50, large + " large ones");
  }

  @Test
  void severalKeysKeepTheirOrder() {
    for (List<String> keys :
        List.of(List.<String>of(), List.of("a"), List.of("b", "a"), List.of("", "c", "", "c"))) {
      var request = datum("id", body("v").addAllKeys(keys));
      var data = assertInstanceOf(Request.Data.class, read(request.toByteArray()));
      assertEquals(keys, data.datum().keys());
    }
  }

  @Test
  void fieldsMayComeInAnyOrderAndSeveralPieces() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      MapRequest request = request();
      var body = request.getRequest();
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      MapRequest.newBuilder()
          .setRequest(body.toBuilder().clearKeys().clearWatermark())
          .build()
          .writeTo(bytes);
      MapRequest.newBuilder()
          .setRequest(
              MapRequest.Request.newBuilder()
                  .setWatermark(body.getWatermark())
                  .addAllKeys(body.getKeysList()))
          .setId(request.getId())
          .build()
          .writeTo(bytes);

      assertEquals(
          expected(request).datum(),
          assertInstanceOf(Request.Data.class, read(bytes.toByteArray())).datum());
    }
  }

  /** Includes fields that a later version of the platform may send. */
  @Test
  void unknownFieldsAreSkipped() {
    var unknown =
        UnknownFieldSet.newBuilder()
            .addField(
                1000,
                UnknownFieldSet.Field.newBuilder()
                    .addVarint(1L << 60)
                    .addFixed32(2)
                    .addFixed64(3)
                    .addLengthDelimited(ByteString.copyFromUtf8("unknown"))
                    .addGroup(
                        UnknownFieldSet.newBuilder()
                            .addField(7, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                            .build())
                    .build())
            .build();
    for (int i = 0; i < ROUNDS; i++) {
      MapRequest request = request();
      var body = request.getRequest().toBuilder();
      body.getEventTimeBuilder().setUnknownFields(unknown);
      body.getWatermarkBuilder().setUnknownFields(unknown);
      body.getMetadataBuilder().setUnknownFields(unknown);
      MapRequest later =
          request.toBuilder()
              .setRequest(body.setUnknownFields(unknown))
              .setUnknownFields(unknown)
              .build();

      var data = assertInstanceOf(Request.Data.class, read(later.toByteArray()));
      assertEquals(expected(request).datum(), data.datum());
    }
    assertEquals(
        new Request.Handshake(true),
        read(
            MapRequest.newBuilder()
                .setHandshake(Handshake.newBuilder().setSot(true).setUnknownFields(unknown))
                .setUnknownFields(unknown)
                .build()
                .toByteArray()));
  }

  @Test
  void handshakesAreRead() {
    assertEquals(new Request.Handshake(true), read(Codec.handshake().toByteArray()));
    assertEquals(new Request.Handshake(false), read(Codec.handshake(false).toByteArray()));
  }

  @Test
  void whatIsMissingIsNamed() {
    assertRefused("request is missing", MapRequest.getDefaultInstance());
    assertRefused("request is missing", MapRequest.newBuilder().setId("a").build());
    assertRefused("status", eot("a"));
    assertRefused("id is empty", datum("", "v"));
  }

  @Test
  void absentWatermarkIsUnknown() {
    var request = datum("a", body("").clearWatermark()).toByteArray();

    var data = assertInstanceOf(Request.Data.class, read(request));

    assertEquals(Instant.ofEpochMilli(-1), data.datum().watermark());
  }

  @Test
  void absentEventTimeIsUnknown() {
    var request = datum("a", body("").clearEventTime()).toByteArray();

    var data = assertInstanceOf(Request.Data.class, read(request));

    assertEquals(Instant.ofEpochMilli(-1), data.datum().eventTime());
    assertFalse(data.hasEventTime());
    assertTrue(
        assertInstanceOf(Request.Data.class, read(datum("a", "v").toByteArray())).hasEventTime());
  }

  private static Request.Refused refused(InputStream stream, int limit) {
    return assertInstanceOf(Request.Refused.class, WireMapping.readRequest(stream, limit));
  }

  @Test
  void aRequestAboveTheLimitIsRefusedWithSizeLimitSettingAndId() {
    byte[] bytes = datum("a", "v".repeat(2_000)).toByteArray();
    int size = bytes.length;

    assertInstanceOf(Request.Data.class, WireMapping.readRequest(new Known(bytes), size));
    assertInstanceOf(Request.Data.class, WireMapping.readRequest(new Unknown(bytes), size));
    assertEquals(
        new Request.Refused(
            FailureKind.REQUEST_TOO_LARGE,
            "a request of "
                + size
                + " bytes is above the limit of 1000 bytes (maxMessageSize), id \"a\""),
        refused(new Known(bytes), 1_000));
    assertEquals(FailureKind.REQUEST_TOO_LARGE, refused(new Unknown(bytes), 1_000).kind());
    assertEquals(
        "a compressed request is above the limit of 1000 bytes (maxMessageSize), id unknown",
        refused(new Unknown(bytes), 1_000).reason());
  }

  @Test
  void bytesAboveTheLimitThatAreNotARequestHaveNoId() {
    for (byte fill : new byte[] {0, 7, -1}) {
      byte[] bytes = new byte[5_000];
      Arrays.fill(bytes, fill);
      assertTrue(refused(new Known(bytes), 10).reason().endsWith("id unknown"));
    }
    byte[] longId = datum("i".repeat(2_000), "v").toByteArray();
    assertTrue(refused(new Known(longId), 10).reason().endsWith("id unknown"));
  }

  @Test
  void anErrorWhileARequestIsDecodedIsNotTheClientsFault() {
    class NoMemory extends Known {
      NoMemory() {
        super(datum("a", "v").toByteArray());
      }

      @Override
      public synchronized int read(byte[] target, int offset, int length) {
        throw new OutOfMemoryError("Java heap space");
      }
    }
    assertEquals(
        new Request.Refused(
            FailureKind.ADMISSION_FAILED,
            "MapRequest can't be decoded: java.lang.OutOfMemoryError: Java heap space"),
        refused(new NoMemory(), LIMIT));
  }

  private static void assertRefused(String said, MapRequest request) {
    String reason = assertInstanceOf(Request.Refused.class, read(request.toByteArray())).reason();
    assertTrue(reason.contains(said), reason);
  }

  @Test
  void aStatusNextToADatumChangesNothing() {
    MapRequest request =
        request().toBuilder().setStatus(TransmissionStatus.getDefaultInstance()).build();

    assertEquals(expected(request), read(request.toByteArray()));
  }

  // Damage.

  /** Either both parsers read the same from the bytes, or both reject them. */
  private static void assertReadAsGenerated(byte[] bytes) {
    Request read = read(bytes);
    MapRequest generated;
    try {
      generated = MapRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      String reason = assertInstanceOf(Request.Refused.class, read).reason();
      assertTrue(reason.startsWith("MapRequest is not decodable"), reason);
      return;
    }
    switch (read) {
      case Request.Handshake handshake -> {
        assertTrue(generated.hasHandshake());
        assertEquals(generated.getHandshake().getSot(), handshake.sot());
      }
      case Request.Data data -> {
        assertEquals(generated.getId(), data.id());
        assertEquals(datum(generated.getRequest()), data.datum());
      }
      case Request.Refused refused ->
          assertTrue(
              !generated.hasRequest()
                  || generated.hasHandshake()
                  || generated.getId().isEmpty()
                  || refused.reason().contains("out of range"),
              refused::reason);
    }
  }

  @Test
  void bytesThatEndEarlyAreReadAsTheGeneratedClassesReadThem() {
    for (int i = 0; i < 10; i++) {
      byte[] whole = request().toByteArray();
      int step = Math.max(1, whole.length / 500);
      for (int length = 0; length < whole.length; length += step) {
        assertReadAsGenerated(Arrays.copyOf(whole, length));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void damagedBytesAreReadAsTheGeneratedClassesReadThem(long seed) {
    random.setSeed(seed);
    for (int i = 0; i < 4_000; i++) {
      byte[] bytes =
          MapRequest.newBuilder()
              .setId("id")
              .setRequest(
                  MapRequest.Request.newBuilder()
                      .addKeys("key")
                      .setValue(ByteString.copyFromUtf8("value"))
                      .setEventTime(timestamp())
                      .setWatermark(timestamp())
                      .putHeaders("x", "y")
                      .setMetadata(
                          io.mapstream.proto.metadata.Metadata.newBuilder()
                              .putAllUserMetadata(toProto(Map.of("g", Map.of("k", new byte[2]))))))
              .build()
              .toByteArray();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      assertReadAsGenerated(bytes);
    }
  }

  @Test
  void noiseIsReadAsTheGeneratedClassesReadIt() {
    for (int i = 0; i < 5_000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      assertReadAsGenerated(bytes);
    }
  }

  @Test
  void groupsWithoutEndAreRefused() {
    byte[] bytes = new byte[1_000_000];
    Arrays.fill(bytes, (byte) (9 << 3 | 3)); // the start of group 9

    assertInstanceOf(Request.Refused.class, WireMapping.readRequest(new Known(bytes), LIMIT));
  }

  /** The length is not trusted, so that no array of that size is allocated. */
  @Test
  void aLengthOfTwoGigabytesIsRefused() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeTag(1, 2);
    out.writeUInt32NoTag(Integer.MAX_VALUE);
    out.writeTag(2, 2);
    out.writeUInt32NoTag(Integer.MAX_VALUE - 20);
    out.flush();

    assertReadAsGenerated(bytes.toByteArray());
    assertInstanceOf(Request.Refused.class, read(bytes.toByteArray()));
    assertInstanceOf(
        Request.Refused.class,
        WireMapping.readRequest(new Known(Arrays.copyOf(bytes.toByteArray(), 20_000)), LIMIT));
  }

  // Results.

  private static Emission emission(Message message) {
    return Emission.unbounded(new ResultEncoding(message));
  }

  private static byte[] encoded(Emission result) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    result.writeTo(bytes);
    assertEquals(bytes.size(), result.size());
    return bytes.toByteArray();
  }

  private Message message() {
    return switch (random.nextInt(6)) {
      case 0 -> Message.toDrop();
      case 1 -> Message.toFail();
      case 2 -> {
        var options = NackOptions.builder().nackMap(textMap());
        if (random.nextBoolean()) {
          options.reason(text());
        }
        if (random.nextBoolean()) {
          options.maxDeliveries(random.nextLong(NackOptions.MAX_DELIVERIES_LIMIT + 1));
        }
        if (random.nextBoolean()) {
          options.delay(Duration.ofMillis(random.nextLong(Long.MAX_VALUE)));
        }
        yield Message.toNack(options.build());
      }
      default -> new Message(bytes(), texts(), texts()).withUserMetadata(Metadata.of(groups()));
    };
  }

  private static MapResponse.Result expected(Message message) {
    var result =
        MapResponse.Result.newBuilder()
            .addAllKeys(message.keys())
            .setValue(ByteString.copyFrom(message.value()))
            .addAllTags(message.tags());
    if (!message.userMetadata().isEmpty()) {
      result.setMetadata(
          io.mapstream.proto.metadata.Metadata.newBuilder()
              .putAllUserMetadata(toProto(message.userMetadata().asMap())));
    }
    message
        .nackOptions()
        .ifPresent(options -> {
          var nack = result.getNackOptionsBuilder().putAllNackMap(options.nackMap());
          options.reason().ifPresent(nack::setReason);
          options.maxDeliveries().ifPresent(count -> nack.setMaxDeliveries((int) count));
          options.delay().ifPresent(delay -> nack.setDelay(delay.toMillis()));
        });
    return result.build();
  }

  @Test
  void resultsAreWrittenAsTheGeneratedClassesReadThem() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      Message message = message();
      Emission emission = emission(message);
      MapResponse expected = MapResponse.newBuilder().addResults(expected(message)).build();

      assertEquals(expected, MapResponse.parseFrom(encoded(emission)));
      assertEquals(expected.getSerializedSize(), emission.size());
      assertEquals(message.isFail(), emission.isLast());
      assertTrue(emission.hasResult());
    }
  }

  @Test
  void severalResultsAndAnIdAreOneResponse() throws Exception {
    for (int i = 0; i < ROUNDS; i++) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      var expected = MapResponse.newBuilder().setId("id" + text());
      for (int n = random.nextInt(5); n > 0; n--) {
        Message message = message();
        expected.addResults(expected(message));
        emission(message).writeTo(bytes);
      }
      bytes.write(WireMapping.encodeId(expected.getId()));

      assertEquals(expected.build(), MapResponse.parseFrom(bytes.toByteArray()));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 1_000, 1_500, 100_000})
  void theValueIsCopied(int size) throws IOException {
    byte[] value = new byte[size];
    Emission emission = emission(Message.of(value));
    Arrays.fill(value, (byte) 1);

    MapResponse response = MapResponse.parseFrom(encoded(emission));
    assertArrayEquals(new byte[size], response.getResults(0).getValue().toByteArray());
  }

  @Test
  void idsEotsAndTheEchoAreWhatTheGeneratedClassesWrite() throws Exception {
    for (String id : List.of("a", "ß 地球 🌍", "i".repeat(100_000), "half \uD83C")) {
      var response = MapResponse.newBuilder().setId(id);
      assertEquals(
          MapResponse.parseFrom(response.build().toByteArray()),
          MapResponse.parseFrom(WireMapping.encodeId(id)));
      assertArrayEquals(
          response.setStatus(TransmissionStatus.newBuilder().setEot(true)).build().toByteArray(),
          WireMapping.encodeEot(id));
    }
    assertArrayEquals(
        MapResponse.newBuilder()
            .setHandshake(Handshake.newBuilder().setSot(true))
            .build()
            .toByteArray(),
        WireMapping.HANDSHAKE_ECHO);
  }

  /** Maliciously chosen names must not cost more time than others, as in a table with probing. */
  @Test
  void namesOfOneHashCodeAreReadIntoMapsThatAreNotProbed() {
    var metadata = io.mapstream.proto.metadata.Metadata.newBuilder();
    var request = MapRequest.Request.newBuilder().setEventTime(Timestamp.getDefaultInstance());
    KeyValueGroup.Builder large = KeyValueGroup.newBuilder();
    for (int i = 0; i < 1 << 12; i++) {
      String name = collidingName(i);
      request.putHeaders(name, "value");
      large.putKeyValue(name, ByteString.EMPTY);
      metadata.putSysMetadata(
          name, KeyValueGroup.newBuilder().putKeyValue("k", ByteString.EMPTY).build());
    }
    metadata.putUserMetadata("large", large.build());
    MapRequest message =
        MapRequest.newBuilder()
            .setId("id")
            .setRequest(request.setMetadata(metadata.build()))
            .build();

    Datum datum = assertInstanceOf(Request.Data.class, read(message.toByteArray())).datum();

    for (Map<String, ?> map :
        List.of(
            datum.headers(),
            datum.systemMetadata().asMap(),
            datum.userMetadata().asMap().get("large"))) {
      assertEquals(1 << 12, map.size());
      assertFalse(
          map.getClass().getName().startsWith("java.util.ImmutableCollections"),
          () -> "a table that is probed linearly: " + map.getClass());
    }
  }

  /** "Aa" and "BB" have the same hash code, and so do all texts made of the same number of them. */
  private static String collidingName(int number) {
    StringBuilder name = new StringBuilder();
    for (int bit = 0; bit < 12; bit++) {
      name.append((number >> bit & 1) == 0 ? "Aa" : "BB");
    }
    return name.toString();
  }
}
