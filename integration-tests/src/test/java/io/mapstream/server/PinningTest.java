package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Handlers that sleep, wait for a client, or are interrupted release their carrier thread: the JDK
 * reports no pinning event. The test is most significant on JDK 21 to 23, where monitors pin as
 * well.
 */
class PinningTest {

  private static final String EVENT = "jdk.VirtualThreadPinned";

  private interface Load {
    void run() throws Exception;
  }

  private static List<RecordedEvent> pinned(Path folder, Load load) throws Exception {
    Path file = folder.resolve("pinned.jfr");
    try (Recording recording = new Recording()) {
      recording.enable(EVENT).withThreshold(Duration.ZERO).withStackTrace();
      recording.start();
      load.run();
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file);
  }

  private static boolean isOurs(RecordedEvent event) {
    if (event.getStackTrace() == null) {
      return true;
    }
    List<String> methods =
        event.getStackTrace().getFrames().stream()
            .map(RecordedFrame::getMethod)
            .map(method -> method.getType().getName() + "." + method.getName())
            .toList();
    // A lock of the JDK, held by the interrupting thread; the interrupted thread may wait for it.
    return !methods.contains("java.lang.VirtualThread.getAndClearInterrupt")
        && methods.stream().anyMatch(method -> method.startsWith("io.mapstream."));
  }

  @Test
  void stormPinsNoCarrier(@TempDir Path folder) throws Exception {
    // Warms up: a class initialization on a virtual thread pins it once.
    new Storm(2).runWithServer(Duration.ofSeconds(1));
    List<RecordedEvent> events =
        pinned(folder, () -> new Storm(2).runWithServer(Duration.ofSeconds(2)));
    assertEquals(List.of(), events.stream().filter(PinningTest::isOurs).toList());
  }

  /** Blocks its thread while native code, which runs initializers, is on its stack. */
  private static final class Pinning {
    static {
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }

    static void touch() {}
  }

  @Test
  void pinnedThreadIsDetected(@TempDir Path folder) throws Exception {
    List<RecordedEvent> events =
        pinned(folder, () -> Thread.ofVirtual().start(Pinning::touch).join());
    assertFalse(events.stream().filter(PinningTest::isOurs).toList().isEmpty());
  }
}
