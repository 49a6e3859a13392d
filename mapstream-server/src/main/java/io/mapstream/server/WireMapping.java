package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.grpc.KnownLength;
import io.grpc.StatusRuntimeException;
import io.mapstream.Datum;
import io.mapstream.proto.Codec;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Converts between the wire format ({@code proto/src/main/proto}) and the API's values, by pure
 * functions.
 *
 * <p>Requests are read field by field with protobuf's coded stream, not through generated messages
 * ({@link ResultEncoding} writes results in the same way). A value is therefore copied only once,
 * and no intermediate object is created per key or timestamp. Metadata and nack options, which few
 * messages carry, use the generated classes and {@link Codec}. The tests compare every function
 * with the generated classes.
 */
final class WireMapping {

  // MapRequest and MapResponse share their field numbers: 1 request or results, 2 id, 3 handshake,
  // 4 status.
  private static final int BODY = 1;
  private static final int ID = 2;
  private static final int HANDSHAKE = 3;
  private static final int STATUS = 4;

  // MapRequest.Request
  private static final int KEYS = 1;
  private static final int VALUE = 2;
  private static final int EVENT_TIME = 3;
  private static final int WATERMARK = 4;
  private static final int HEADERS = 5;
  private static final int REQUEST_METADATA = 6;

  private static final int LEN = WireFormat.WIRETYPE_LENGTH_DELIMITED;

  /**
   * Requests up to this size are decoded from one array; larger ones from the transport's stream.
   */
  private static final int SMALL_REQUEST = 8 * 1024;

  /** Longer ids are not reported for a request above the limit. */
  private static final int LONGEST_ID = 1024;

  /**
   * The watermark or event time of a datum that was sent without one: the platform's own value for
   * an unknown time. The data plane sends no watermark if none is computed, as in a MonoVertex;
   * other clients often send no event time.
   */
  static final Instant UNKNOWN_TIME = Instant.ofEpochMilli(-1);

  /** The response to a handshake: {@code MapResponse{handshake{sot: true}}}. */
  static final byte[] HANDSHAKE_ECHO = {HANDSHAKE << 3 | LEN, 2, 1 << 3, 1};

  private WireMapping() {}

  /**
   * Decodes one {@code MapRequest}.
   *
   * @param stream its bytes, as gRPC provides them
   * @param limit the size of the largest request that is accepted, in bytes
   * @return the request; never fails, since anything that can't be decoded is a {@link
   *     Request.Refused}
   */
  @SuppressWarnings("CatchingUnchecked")
  static Request readRequest(InputStream stream, int limit) {
    try {
      return stream instanceof KnownLength
          ? readPlain(stream, stream.available(), limit)
          : readCompressed(stream, limit);
    } catch (IOException | StatusRuntimeException e) {
      return new Request.Refused("MapRequest is not decodable: " + e.getMessage());
    } catch (Throwable t) {
      // Out of memory, or a class is missing. gRPC would report UNKNOWN, and nothing would be
      // counted.
      return new Request.Refused(
          FailureKind.ADMISSION_FAILED, "MapRequest can't be decoded: " + Thrown.describe(t));
    }
  }

  private static Request readPlain(InputStream stream, int size, int limit) throws IOException {
    if (size > limit) {
      return tooLarge(
          "a request of %d bytes is above the limit of %d bytes (maxMessageSize)"
              .formatted(size, limit),
          findId(CodedInputStream.newInstance(stream)));
    }
    CodedInputStream in =
        size <= SMALL_REQUEST
            ? CodedInputStream.newInstance(stream.readNBytes(size))
            : CodedInputStream.newInstance(stream);
    return readRequest(in, size);
  }

  /** The size of a compressed message is known only when all of it has been read. */
  private static Request readCompressed(InputStream stream, int limit) throws IOException {
    byte[] message = stream.readNBytes(limit == Integer.MAX_VALUE ? limit : limit + 1);
    CodedInputStream in = CodedInputStream.newInstance(message);
    return message.length > limit
        ? tooLarge(
            "a compressed request is above the limit of %d bytes (maxMessageSize)".formatted(limit),
            findId(in))
        : readRequest(in, message.length);
  }

  private static Request tooLarge(String what, @Nullable String id) {
    return new Request.Refused(
        FailureKind.REQUEST_TOO_LARGE,
        what + ", " + (id == null ? "id unknown" : "id \"" + id + "\""));
  }

  /** Looks only for the id, in bytes that may be truncated or not be a request at all. */
  private static @Nullable String findId(CodedInputStream in) {
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag != (ID << 3 | LEN)) {
          skip(in, tag);
          continue;
        }
        int length = in.readRawVarint32();
        return length < 0 || length > LONGEST_ID
            ? null
            : new String(in.readRawBytes(length), UTF_8);
      }
      return null;
    } catch (IOException e) {
      return null;
    }
  }

  private static Request readRequest(CodedInputStream in, int size) throws IOException {
    String id = "";
    DatumFields datum = null;
    Boolean sot = null;
    boolean status = false;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case BODY << 3 | LEN -> {
          datum = datum == null ? new DatumFields() : datum;
          int limit = in.pushLimit(in.readRawVarint32());
          datum.read(in);
          in.popLimit(limit);
        }
        case ID << 3 | LEN -> id = in.readStringRequireUtf8();
        case HANDSHAKE << 3 | LEN -> sot = readFlag(in);
        case STATUS << 3 | LEN -> {
          readFlag(in);
          status = true;
        }
        default -> skip(in, tag);
      }
    }
    if (sot != null) {
      return datum == null
          ? new Request.Handshake(sot)
          : new Request.Refused("MapRequest has both a handshake and a request");
    }
    if (datum == null) {
      return new Request.Refused(
          status
              ? "MapRequest.status is set without a request; a client ends a stream by half-close"
              : "MapRequest.request is missing (id \"" + id + "\")");
    }
    if (id.isEmpty()) {
      return new Request.Refused("MapRequest.id is empty");
    }
    return datum.toRequest(id, size);
  }

  /** Reads a message of one boolean, field 1: Handshake and TransmissionStatus. */
  private static boolean readFlag(CodedInputStream in) throws IOException {
    boolean flag = false;
    int limit = in.pushLimit(in.readRawVarint32());
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == (1 << 3 | WireFormat.WIRETYPE_VARINT)) {
        flag = in.readBool();
      } else {
        skip(in, tag);
      }
    }
    in.popLimit(limit);
    return flag;
  }

  private static void skip(CodedInputStream in, int tag) throws IOException {
    if (!in.skipField(tag)) {
      throw new IOException("unexpected end of a group, tag " + tag);
    }
  }

  /** The fields of one {@code MapRequest.Request} while they are read. */
  private static final class DatumFields {

    private static final byte[] NO_BYTES = {};

    private @Nullable String firstKey;
    private @Nullable List<String> keys;
    private byte[] value = NO_BYTES;
    private @Nullable Instant eventTime;
    private @Nullable Instant watermark;
    private @Nullable Map<String, String> headers;
    private io.mapstream.proto.metadata.@Nullable Metadata metadata;

    void read(CodedInputStream in) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case KEYS << 3 | LEN -> addKey(in.readStringRequireUtf8());
          case VALUE << 3 | LEN -> value = in.readByteArray();
          case EVENT_TIME << 3 | LEN -> eventTime = readTimestamp(in, "event_time", eventTime);
          case WATERMARK << 3 | LEN -> watermark = readTimestamp(in, "watermark", watermark);
          case HEADERS << 3 | LEN -> readHeader(in);
          case REQUEST_METADATA << 3 | LEN -> metadata = readMetadata(in);
          default -> skip(in, tag);
        }
      }
    }

    /** Most datums have at most one key: the list is created for the second one. */
    private void addKey(String key) {
      if (firstKey == null) {
        firstKey = key;
        return;
      }
      if (keys == null) {
        keys = new ArrayList<>();
        keys.add(firstKey);
      }
      keys.add(key);
    }

    /** A message field that occurs twice is merged, so the value read {@code before} counts. */
    private static Instant readTimestamp(
        CodedInputStream in, String field, @Nullable Instant before) throws IOException {
      long seconds = before == null ? 0 : before.getEpochSecond();
      int nanos = before == null ? 0 : before.getNano();
      int limit = in.pushLimit(in.readRawVarint32());
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 -> seconds = in.readInt64();
          case 2 << 3 -> nanos = in.readInt32();
          default -> skip(in, tag);
        }
      }
      in.popLimit(limit);
      try {
        return Instant.ofEpochSecond(seconds, nanos);
      } catch (DateTimeException | ArithmeticException e) {
        throw new IOException(field + " is out of range: " + seconds + " s " + nanos + " ns", e);
      }
    }

    private void readHeader(CodedInputStream in) throws IOException {
      String name = "";
      String text = "";
      int limit = in.pushLimit(in.readRawVarint32());
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case 1 << 3 | LEN -> name = in.readStringRequireUtf8();
          case 2 << 3 | LEN -> text = in.readStringRequireUtf8();
          default -> skip(in, tag);
        }
      }
      in.popLimit(limit);
      if (headers == null) {
        headers = new HashMap<>();
      }
      headers.put(name, text);
    }

    private io.mapstream.proto.metadata.Metadata readMetadata(CodedInputStream in)
        throws IOException {
      var read = io.mapstream.proto.metadata.Metadata.parseFrom(in.readByteArray());
      return metadata == null ? read : metadata.toBuilder().mergeFrom(read).build();
    }

    Request toRequest(String id, int size) {
      boolean hasEventTime = eventTime != null;
      Instant knownEventTime = eventTime == null ? UNKNOWN_TIME : eventTime;
      Instant knownWatermark = watermark == null ? UNKNOWN_TIME : watermark;
      List<String> allKeys =
          keys != null ? List.copyOf(keys) : firstKey != null ? List.of(firstKey) : List.of();
      Map<String, String> allHeaders = headers == null ? Map.of() : headers;
      Datum.Builder datum =
          Datum.builder()
              .id(id)
              .keys(allKeys)
              .value(value)
              .eventTime(knownEventTime)
              .watermark(knownWatermark)
              .headers(allHeaders);
      if (metadata != null) {
        datum
            .userMetadata(Codec.metadata(metadata.getUserMetadataMap()))
            .systemMetadata(Codec.metadata(metadata.getSysMetadataMap()));
      }
      return new Request.Data(id, datum.build(), size, hasEventTime);
    }
  }

  /** Encodes the field {@code id}, which ends each response with results. */
  static byte[] encodeId(String id) {
    return encodeId(id, 0);
  }

  /** Encodes an EOT: the id and {@code status{eot: true}}. */
  static byte[] encodeEot(String id) {
    byte[] eot = encodeId(id, 4);
    int at = eot.length - 4;
    eot[at] = STATUS << 3 | LEN;
    eot[at + 1] = 2;
    eot[at + 2] = 1 << 3;
    eot[at + 3] = 1;
    return eot;
  }

  private static byte[] encodeId(String id, int room) {
    byte[] field = new byte[CodedOutputStream.computeStringSize(ID, id) + room];
    try {
      CodedOutputStream.newInstance(field).writeString(ID, id);
    } catch (IOException e) {
      throw new UncheckedIOException("an array of the computed size was too small", e);
    }
    return field;
  }
}
