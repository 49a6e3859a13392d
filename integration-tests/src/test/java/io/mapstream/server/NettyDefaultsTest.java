package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which parts of Netty a process loads, according to the JVM's log of loaded classes. */
class NettyDefaultsTest {

  private static final String ALLOCATOR = "io.netty.buffer.PooledByteBufAllocator ";
  private static final String ALLOCATOR_EVENTS = "io.netty.buffer.AbstractAllocatorEvent ";

  @TempDir Path folder;

  private String classesOfAProcess(String option) throws Exception {
    Path log = folder.resolve("classes");
    String options = "-Xlog:class+load:file=" + log + " " + option;
    try (ChildProcess child =
        ChildProcess.start(ChildMain.class, "run", Map.of("JDK_JAVA_OPTIONS", options))) {
      Call call = child.open().send("1", "echo");
      call.results("1", 2);
      child.signal("TERM");
      assertEquals(0, child.exitCode(), child.err());
    }
    String classes = Files.readString(log);
    assertTrue(classes.contains(ALLOCATOR), classes);
    return classes;
  }

  @Test
  void eventsOfSingleBuffersAreOffByDefault() throws Exception {
    assertFalse(classesOfAProcess("").contains(ALLOCATOR_EVENTS));
  }

  @Test
  void eventsOfSingleBuffersAreOnIfTheProcessEnablesThem() throws Exception {
    assertTrue(
        classesOfAProcess("-Dio.grpc.netty.shaded.io.netty.jfr.enabled=true")
            .contains(ALLOCATOR_EVENTS));
  }
}
