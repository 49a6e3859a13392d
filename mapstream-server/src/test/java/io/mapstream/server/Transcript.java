package io.mapstream.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * What was written to a client of an interleaving test, in short: per datum a letter for each
 * result, {@code !} for a fail mark and {@code .} for an EOT. Read directly from the bytes, since a
 * parser would be a thousand steps for a scheduler. For one thread only.
 */
final class Transcript {

  private static final int HANDSHAKE_FIELD = 3 << 3 | 2;

  /** Pairs of bytes: the id's letter, and what was written. */
  private final StringBuilder written = new StringBuilder();

  /** Such a test only has results of one byte and ids of one letter. */
  void add(Response response) {
    byte[] wire = bytes(response);
    if (wire[0] == HANDSHAKE_FIELD) {
      return;
    }
    // A result is 5 bytes (10 3 18 1 value), or more with the fail mark; then the id (18 1 letter).
    int at = 0;
    StringBuilder results = new StringBuilder();
    for (int i = 0; i < response.count(); i++) {
      int length = wire[at + 1];
      results.append(length == 3 ? (char) wire[at + 4] : '!');
      at += 2 + length;
    }
    char id = new String(wire, at + 2, 1, US_ASCII).charAt(0);
    if (results.isEmpty()) {
      results.append('.');
    }
    for (int i = 0; i < results.length(); i++) {
      written.append(id).append(results.charAt(i));
    }
  }

  private static byte[] bytes(Response response) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ((io.grpc.Drainable) response.open()).drainTo(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  String of(char id) {
    StringBuilder own = new StringBuilder();
    for (int i = 0; i < written.length(); i += 2) {
      if (written.charAt(i) == id) {
        own.append(written.charAt(i + 1));
      }
    }
    return own.toString();
  }
}
