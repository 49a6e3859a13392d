package io.mapstream.server;

import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** One stream of a {@link Storm}: random work, a random reading speed, and a random ending. */
final class StormSession {

  private final WireClient client;
  private final Random random;
  private final Tally tally;
  private final boolean slow;
  private final ScriptStream stream;

  StormSession(WireClient client, Random random, Tally tally) {
    this.client = client;
    this.random = random;
    this.tally = tally;
    this.slow = random.nextInt(3) == 0;
    this.stream = ScriptStream.open(client, slow ? 1 : Integer.MAX_VALUE);
  }

  private enum Ending {
    HALF_CLOSE,
    HALF_CLOSE_WHEN_ANSWERED,
    CANCEL,
    HALF_CLOSE_AND_CANCEL,
    DISCONNECT
  }

  /** Runs from the handshake to the end; returns whether the client is still connected. */
  boolean run() {
    int datums = 1 + random.nextInt(60);
    for (int i = 0; i < datums; i++) {
      sendWork("datum-" + i);
    }
    Ending ending = Ending.values()[random.nextInt(Ending.values().length)];
    switch (ending) {
      case HALF_CLOSE -> {
        stream.halfClose();
        read(stream::hasEnded);
        stream.awaitOk();
      }
      case HALF_CLOSE_WHEN_ANSWERED -> {
        read(() -> stream.ledger().isComplete() || stream.hasEnded());
        stream.finish();
      }
      case CANCEL -> {
        readSome();
        stream.cancel();
      }
      case HALF_CLOSE_AND_CANCEL -> {
        readSome();
        stream.halfClose();
        stream.cancel();
      }
      case DISCONNECT -> {
        readSome();
        client.close();
      }
    }
    stream.awaitEnd();
    stream.ledger().verify();
    tally.add(stream.ledger());
    return ending != Ending.DISCONNECT;
  }

  private void sendWork(String id) {
    int emitters = 1 + random.nextInt(4);
    int results = random.nextInt(100);
    int size = 1 << random.nextInt(13);
    int kind = random.nextInt(100);
    if (kind < 10) {
      stream.fail("fail", id, emitters, results, size);
    } else if (kind < 15) {
      stream.fail("throw", id, emitters, results, size);
    } else if (kind < 25) {
      stream.fan(id, emitters, results / 10, size, 1, 0);
    } else if (kind < 35) {
      stream.fan(id, emitters, 1 + results / 50, 100_000, 0, 100_000);
    } else if (kind < 36) {
      // All clients together stay below the limit of requests that are not yet admitted.
      stream.fan(id, 1, 1, 2_000_000, 0, 1_000_000);
    } else {
      stream.fan(id, emitters, results, size);
    }
  }

  /** Reads until {@code enough} holds; a slow client reads in small, irregular portions. */
  private void read(BooleanSupplier enough) {
    Waits.until(
        "everything was read",
        () -> {
          if (slow) {
            stream.read(1 + random.nextInt(50));
            LockSupport.parkNanos(random.nextInt(1_000_000));
          }
          return enough.getAsBoolean();
        },
        () -> stream.ledger().unanswered());
  }

  private void readSome() {
    long some = random.nextInt(500);
    Ledger ledger = stream.ledger();
    read(() -> ledger.results() >= some || ledger.isComplete() || stream.hasEnded());
  }
}
