package io.mapstream.server;

import io.mapstream.proto.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Writes a critical error to where the platform's UI reads it: one file per error in a folder per
 * container, written under a name that is not read, and renamed when complete. At most one is
 * written per process, and none if the platform has not created the folder.
 */
final class ErrorReport {

  /** The report of this process, in the folder that the platform reads. */
  static final ErrorReport OF_PROCESS =
      new ErrorReport(Path.of("/var/numaflow/runtime/application-errors"));

  private static final ServerLog log = ServerLog.of(ErrorReport.class);

  private final Path folder;
  private final AtomicBoolean written = new AtomicBoolean();

  ErrorReport(Path folder) {
    this.folder = folder;
  }

  /** Writes the report if it is the first. A failure to do so is only logged. */
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
      Files.deleteIfExists(current); // left by a killed process, or a link
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
