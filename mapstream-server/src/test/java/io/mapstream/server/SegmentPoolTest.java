package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.server.SegmentPool.Segments;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentPoolTest {

  private static final int SEGMENT = SegmentPool.SEGMENT;

  private final SegmentPool pool = new SegmentPool(4 * SEGMENT);

  private Segments filled(int size) {
    Segments segments = pool.take(size);
    segments.write(new byte[size], 0, size);
    return segments;
  }

  /** Writes a result, and returns the arrays that held it. */
  private static List<byte[]> arraysOf(Segments segments) throws IOException {
    List<byte[]> arrays = new ArrayList<>();
    segments.writeTo(
        new OutputStream() {
          @Override
          public void write(int value) {
            throw new UnsupportedOperationException();
          }

          @Override
          public void write(byte[] bytes, int offset, int length) {
            assertEquals(0, offset);
            assertEquals(bytes.length, length);
            arrays.add(bytes);
          }
        });
    return arrays;
  }

  @ParameterizedTest
  @ValueSource(
      ints = {1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 7, 40 * SEGMENT})
  void bytesComeOutAsTheyWereFilledIn(int size) throws Exception {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    Segments segments = pool.take(size);
    int single = Math.min(3, size);
    for (int i = 0; i < single; i++) {
      segments.write(bytes[i]);
    }
    int middle = single + (size - single) / 2;
    segments.write(bytes, single, middle - single);
    segments.write(bytes, middle, size - middle);
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    assertEquals(size, segments.size());
    segments.writeTo(out);

    assertArrayEquals(bytes, out.toByteArray());
  }

  @Test
  void whatWasWrittenIsUsedAgainTheLatestFirst() throws Exception {
    List<byte[]> first = arraysOf(filled(2 * SEGMENT));
    List<byte[]> second = arraysOf(filled(2 * SEGMENT));

    assertSame(first.get(1), second.get(0));
    assertSame(first.get(0), second.get(1));
  }

  /** It would not fit the next result. */
  @Test
  void theRestBelowASegmentIsNotUsedAgain() throws Exception {
    byte[] rest = arraysOf(filled(SEGMENT + 5)).get(1);

    assertEquals(5, rest.length);
    assertNotSame(rest, arraysOf(filled(SEGMENT + 5)).get(1));
  }

  @Test
  void aResultThatWaitsSharesNothingWithTheNext() throws Exception {
    List<byte[]> free = arraysOf(filled(2 * SEGMENT));
    Segments waits = filled(SEGMENT);
    List<byte[]> next = arraysOf(filled(SEGMENT));

    assertEquals(List.of(free.get(0)), next);
    assertEquals(List.of(free.get(1)), arraysOf(waits));
  }

  /** The transport may still have the one that it failed with. */
  @Test
  void onlySegmentsThatWereWrittenAreUsedAgain() throws Exception {
    List<byte[]> free = arraysOf(filled(3 * SEGMENT));
    Segments fails = filled(3 * SEGMENT); // the last of the free ones is its first

    assertThrows(
        IOException.class,
        () ->
            fails.writeTo(
                new OutputStream() {
                  private int writes;

                  @Override
                  public void write(int value) {
                    throw new UnsupportedOperationException();
                  }

                  @Override
                  public void write(byte[] bytes, int offset, int length) throws IOException {
                    if (++writes == 2) {
                      throw new IOException("the transport fails");
                    }
                  }
                }));

    List<byte[]> next = arraysOf(filled(3 * SEGMENT));
    assertSame(free.get(2), next.get(0));
    assertEquals(1, next.stream().filter(free::contains).count());
    assertThrows(IllegalStateException.class, () -> fails.writeTo(OutputStream.nullOutputStream()));
  }

  @Test
  void thePoolKeepsNoMoreThanItsLimit() throws Exception {
    List<byte[]> six = arraysOf(filled(6 * SEGMENT));
    List<byte[]> next = arraysOf(filled(6 * SEGMENT));

    assertEquals(4, next.stream().filter(six::contains).count());
  }

  @Test
  void aResultIsFilledExactlyAndWrittenOnce() throws Exception {
    Segments half = pool.take(2 * SEGMENT);
    half.write(new byte[SEGMENT], 0, SEGMENT);
    Segments full = filled(SEGMENT + 1);
    full.checkFull();
    full.writeTo(OutputStream.nullOutputStream());

    assertThrows(IllegalStateException.class, half::checkFull);
    assertThrows(IndexOutOfBoundsException.class, () -> full.write(new byte[1], 0, 1));
    assertThrows(IllegalStateException.class, () -> full.writeTo(OutputStream.nullOutputStream()));
  }
}
