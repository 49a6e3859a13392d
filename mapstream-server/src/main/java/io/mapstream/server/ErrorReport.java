package io.mapstream.server;

import io.mapstream.proto.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Leaves a critical error where the platform's UI looks for it: one file per error in a folder per
 * container, written under a name that is not read and renamed when it is complete. At most one per
 * process, and none where the platform has not made the folder.
 */
final class ErrorReport {

  /** The one of this process, where the platform looks for it. */
  static final ErrorReport OF_PROCESS =
      new ErrorReport(Path.of("/var/numaflow/runtime/application-errors"));

  private static final ServerLog log = ServerLog.of(ErrorReport.class);

  private final Path folder;
  private final AtomicBoolean written = new AtomicBoolean();

  ErrorReport(Path folder) {
    this.folder = folder;
  }

  /** Writes the report, if it is the first. Failing to is logged and goes no further. */
  void writeOnce(HandlerFailure failure, Instant now) {
    if (Files.isDirectory(folder) && written.compareAndSet(false, true)) {
      try {
        write(failure, now);
      } catch (IOException e) {
        log.warn("the error report was not written to {}", folder, e);
      }
    }
  }

  private void write(HandlerFailure failure, Instant now) throws IOException {
    Path own = Files.createDirectories(folder.resolve(failure.container()));
    Path current = own.resolve("current-udf.json");
    if (!Files.isDirectory(current, LinkOption.NOFOLLOW_LINKS)) {
      Files.deleteIfExists(current); // what a killed process has left, or a link
    }
    Path complete = own.resolve(now.getEpochSecond() + "-udf.json");
    OwnFile report = new OwnFile("the error report", complete);
    try {
      report.unlock(report.write(json(failure, now), current));
    } catch (IOException e) {
      throw report.failure("can't be written", e);
    }
  }

  private static String json(HandlerFailure failure, Instant now) {
    return "{\"container\":"
        + Printable.json(failure.container())
        + ",\"timestamp\":"
        + now.getEpochSecond()
        + ",\"code\":\"INTERNAL\",\"message\":"
        + Printable.json(failure.message())
        + ",\"details\":"
        + Printable.json(failure.stackWithSuppressed())
        + "}";
  }
}
