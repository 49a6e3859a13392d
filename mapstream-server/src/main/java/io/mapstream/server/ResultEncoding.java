package io.mapstream.server;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.mapstream.Message;
import io.mapstream.MessageTooLargeException;
import io.mapstream.NackOptions;
import io.mapstream.proto.Codec;
import io.mapstream.server.SegmentPool.Segments;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Encodes a message for the field {@code results} of a {@code MapResponse}. The size is known
 * before the bytes are created, so that a result waits for permits before it takes memory.
 *
 * <p>The system metadata belongs to the platform and is never sent back.
 */
final class ResultEncoding {

  // MapResponse.results, and the fields of MapResponse.Result
  private static final int RESULTS = 1;
  private static final int KEYS = 1;
  private static final int VALUE = 2;
  private static final int TAGS = 3;
  private static final int METADATA = 4;
  private static final int NACK_OPTIONS = 5;

  /** The size of the buffer between protobuf's stream and segments; values go past it. */
  private static final int FIELD_BUFFER = 256;

  private final Message message;
  private final byte @Nullable [] metadata;
  private final byte @Nullable [] nack;
  private final int body;

  /**
   * Computes the size.
   *
   * @throws MessageTooLargeException if it exceeds every limit that can be set
   */
  ResultEncoding(Message message) {
    this.message = message;
    this.metadata =
        message.userMetadata().isEmpty()
            ? null
            : io.mapstream.proto.metadata.Metadata.newBuilder()
                .putAllUserMetadata(Codec.groups(message.userMetadata()))
                .build()
                .toByteArray();
    NackOptions options = message.nackOptions().orElse(null);
    this.nack = options == null ? null : Codec.nackOptions(options).toByteArray();
    long size =
        stringsSize(KEYS, message.keys())
            + stringsSize(TAGS, message.tags())
            + (metadata == null ? 0L : bytesSize(METADATA, metadata))
            + (nack == null ? 0L : bytesSize(NACK_OPTIONS, nack))
            + (message.value().length == 0 ? 0L : bytesSize(VALUE, message.value()));
    if (size > Integer.MAX_VALUE - 64) {
      throw new MessageTooLargeException(size, Integer.MAX_VALUE);
    }
    this.body = (int) size;
  }

  /** Returns the number of encoded bytes. */
  int size() {
    return CodedOutputStream.computeTagSize(RESULTS)
        + CodedOutputStream.computeUInt32SizeNoTag(body)
        + body;
  }

  /** Returns whether the datum ends with it. */
  boolean isLast() {
    return message.isFail();
  }

  /** Copies all of the message: the caller may then change the value's array. */
  byte[] encode() {
    byte[] bytes = new byte[size()];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    writeTo(out);
    out.checkNoSpaceLeft();
    return bytes;
  }

  /**
   * Returns whether most of it is a value that is worth segments. For long keys and tags, protobuf
   * would allocate more than segments save.
   */
  boolean hasLargeValue() {
    int value = message.value().length;
    return value >= SegmentPool.SEGMENT && size() - value < SegmentPool.SEGMENT;
  }

  /** Copies all of the message to memory of {@link #size} bytes. */
  void encodeTo(Segments segments) {
    writeTo(CodedOutputStream.newInstance(segments, FIELD_BUFFER));
    segments.checkFull();
  }

  private void writeTo(CodedOutputStream out) {
    try {
      out.writeTag(RESULTS, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag(body);
      writeStrings(out, KEYS, message.keys());
      if (message.value().length > 0) {
        out.writeByteArray(VALUE, message.value());
      }
      writeStrings(out, TAGS, message.tags());
      if (metadata != null) {
        out.writeByteArray(METADATA, metadata);
      }
      if (nack != null) {
        out.writeByteArray(NACK_OPTIONS, nack);
      }
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("the computed size was too small", e);
    }
  }

  private static long stringsSize(int field, List<String> strings) {
    long size = 0;
    for (int i = 0; i < strings.size(); i++) {
      size += CodedOutputStream.computeStringSize(field, strings.get(i));
    }
    return size;
  }

  private static long bytesSize(int field, byte[] bytes) {
    return CodedOutputStream.computeTagSize(field)
        + CodedOutputStream.computeUInt32SizeNoTag(bytes.length)
        + (long) bytes.length;
  }

  private static void writeStrings(CodedOutputStream out, int field, List<String> strings)
      throws IOException {
    for (int i = 0; i < strings.size(); i++) {
      out.writeString(field, strings.get(i));
    }
  }
}
