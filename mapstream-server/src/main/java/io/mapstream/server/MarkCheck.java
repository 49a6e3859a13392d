package io.mapstream.server;

import io.mapstream.Message;
import io.mapstream.UnsupportedMarkException;
import io.mapstream.server.NumaflowRelease.Mark;
import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps marks from a platform that does not know them: it would treat one as an ordinary tag,
 * acknowledge the datum and forward an empty message. The platform does not report its release; if
 * the option does not name it either, a warning is logged. Any thread may use it.
 */
final class MarkCheck {

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  private static final String LOSS =
      "; older releases acknowledge the datum and forward an empty message. Set numaflowVersion"
          + " (MAPSTREAM_NUMAFLOW_VERSION) to the release in use";

  private final Optional<NumaflowRelease> release;

  /** The marks for which a warning is still to be logged. */
  private final Set<Mark> unseen = ConcurrentHashMap.newKeySet();

  MarkCheck(Optional<NumaflowRelease> release) {
    this.release = release;
    if (release.isEmpty()) {
      unseen.addAll(EnumSet.allOf(Mark.class));
    }
  }

  /**
   * Refuses a message whose mark the release does not know; if the release is unknown, warns once
   * per mark.
   */
  void check(Message message) {
    Mark mark = Mark.of(message);
    if (mark == null) {
      return;
    }
    if (release.isPresent() && !release.get().knows(mark)) {
      throw new UnsupportedMarkException(mark.word(), release.get().toString(), mark.known());
    }
    if (unseen.remove(mark)) {
      log.warn("a handler emits the {} mark, which needs {}" + LOSS, mark.word(), mark.known());
    }
  }

  /** Refuses a policy whose mark the release does not know. */
  static void check(ErrorPolicy policy, Optional<NumaflowRelease> release) {
    if (policy == ErrorPolicy.FAIL && release.isPresent() && !release.get().knows(Mark.FAIL)) {
      throw new IllegalArgumentException(
          "errorPolicy must not be FAIL with numaflowVersion "
              + release.get()
              + ": the fail mark needs "
              + Mark.FAIL.known()
              + ", and this release would acknowledge each failed datum and forward an empty"
              + " message; use STOP");
    }
  }

  /** At the start of a server, warns of a policy whose mark the platform may not know. */
  static void warn(ServerLog log, ErrorPolicy policy, Optional<NumaflowRelease> release) {
    if (policy == ErrorPolicy.FAIL && release.isEmpty()) {
      log.warn("the error policy FAIL needs {}" + LOSS, Mark.FAIL.known());
    }
  }
}
