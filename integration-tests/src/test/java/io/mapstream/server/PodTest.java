package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * A function without settings, in the folders that the platform mounts: a process with its own
 * {@code /var}, if the system allows that for a test.
 */
class PodTest {

  @AutoClose private final ChildProcess child = new ChildProcess();

  private static boolean ownVarIsAllowed() throws IOException, InterruptedException {
    try {
      Process trial =
          new ProcessBuilder(
                  "unshare",
                  "--user",
                  "--map-root-user",
                  "-m",
                  "mount",
                  "-t",
                  "tmpfs",
                  "tmpfs",
                  "/var")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return trial.waitFor(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS) && trial.exitValue() == 0;
    } catch (IOException e) {
      return false; // a system without unshare
    }
  }

  /** The folder of error reports is {@code reports} in the test's folder. */
  private void startInPod() throws IOException {
    String script =
        """
        mount -t tmpfs tmpfs /var &&
        mkdir -p /var/run/numaflow /var/numaflow/runtime/application-errors &&
        mkdir "$0" && mount --bind "$0" /var/numaflow/runtime/application-errors &&
        exec "$@"
        """;
    child
        .by(
            "unshare",
            "--user",
            "--map-root-user",
            "-m",
            "sh",
            "-c",
            script,
            child.file("reports").toString())
        .env("NUMAFLOW_UD_CONTAINER_TYPE", "udf")
        .start("run");
  }

  @Test
  void defaultPathsAreThePlatformsAndOneOfManyFailuresIsReported() throws Exception {
    assumeTrue(ownVarIsAllowed(), "a mount namespace is needed");
    startInPod();
    Path run = Path.of("/proc/" + child.pid() + "/root/var/run/numaflow");
    child.await(run.resolve("mapper-server-info"));
    Call call = Call.open(child.connect(run.resolve("mapstream.sock")));
    for (int i = 0; i < 20; i++) {
      call.send("datum-" + i, "wait " + child.file("gate") + "; fail");
      call.results("datum-" + i, 1);
    }
    Files.createFile(child.file("gate"));

    call.endsWith(Status.Code.INTERNAL);

    assertEquals(1, child.exitCode());
    try (Stream<Path> reports = Files.list(child.file("reports/udf"))) {
      List<Path> all = reports.toList();
      assertEquals(1, all.size(), all::toString);
      assertTrue(all.get(0).toString().matches(".*/[0-9]+-udf\\.json"), all::toString);
      String report = Files.readString(all.get(0));
      assertTrue(
          report.contains("UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: boom"),
          report);
    }
  }
}
