package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which parts of Netty a process loads, according to the JVM's log of loaded classes. */
class NettyDefaultsTest {

  @AutoClose private final ChildProcess child = new ChildProcess();

  private static final String ALLOCATOR = "io.netty.buffer.PooledByteBufAllocator ";
  private static final String ALLOCATOR_EVENTS = "io.netty.buffer.AbstractAllocatorEvent ";

  @TempDir Path folder;

  private String classesOfAProcess(String option) throws Exception {
    Path log = folder.resolve("classes");
    String options = "-Xlog:class+load:file=" + log + " " + option;
    child.env("JDK_JAVA_OPTIONS", options).start("run");
    Call call = child.open().send("1", "echo");
    call.results("1", 2);
    child.stop();
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
