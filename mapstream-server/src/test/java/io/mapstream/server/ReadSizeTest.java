package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ReadSizeTest {

  private final ReadSize size = new ReadSize();

  private int next() {
    return size.newHandle().guess();
  }

  @Test
  void startsWithTheMinimum() {
    assertEquals(4 * 1024, next());
  }

  @Test
  void readsSomeDozensOfSmallRequestsAtOnce() {
    size.follow(200);

    assertEquals(48 * 200, next());
  }

  @Test
  void staysWithinItsBounds() {
    size.follow(1);
    assertEquals(4 * 1024, next());

    size.follow(Integer.MAX_VALUE);
    assertEquals(256 * 1024, next());
  }

  @Test
  void shrinksByHalvesAfterALargeRequest() {
    size.follow(64 * 1024);
    size.follow(200);
    assertEquals(128 * 1024, next());

    for (int i = 0; i < 4; i++) {
      size.follow(200);
    }
    assertEquals(48 * 200, next());
  }
}
