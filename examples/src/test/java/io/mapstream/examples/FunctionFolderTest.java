package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mapstream.Messages;
import io.mapstream.server.MapStreamServer;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.TestDatum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests the folder that {@code starter/docker/assemble.sh} makes of {@link Fanout}. It is assembled
 * once, with the JVM that runs this test, then moved; each process is started from it as in a pod.
 */
@DisabledOnOs(OS.WINDOWS)
class FunctionFolderTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Makes the JVM refuse to start if it cannot use the archive. */
  private static final String REQUIRE_THE_ARCHIVE =
      Runtime.version().feature() >= 25 ? "-XX:AOTMode=on" : "-Xshare:on";

  @TempDir static Path folder;

  private static Path function;

  @BeforeAll
  static void assemble() throws Exception {
    assumeTrue(ToolProvider.findFirst("jar").isPresent(), "a JDK, which can pack the classes");
    Path assembled = folder.resolve("assembled");
    AssembleScript.Ended script =
        new AssembleScript(folder)
            .with("--class", Fanout.class.getName())
            .with("--input", Path.of(System.getProperty("basedir", "."), "lines", "Fanout.txt"))
            .with("--out", assembled)
            .assemble();
    assertEquals(0, script.code(), script.printed());
    function = Files.move(assembled, folder.resolve("moved elsewhere"));
  }

  private static FunctionProcess start(String options) throws IOException {
    return FunctionProcess.start(
        List.of(function.resolve("run").toString()), Map.of("JAVA_OPTS", options));
  }

  private static Messages answer(FunctionProcess process, String datum) throws Exception {
    try (MapStreamClient client = process.connect()) {
      return client.send(TestDatum.of(datum)).remaining(LIMIT);
    }
  }

  @Test
  void servesFromItsArchiveAndEndsWithZeroAtSigterm() throws Exception {
    Path classes = folder.resolve("classes");
    try (FunctionProcess process =
        start(REQUIRE_THE_ARCHIVE + " -Xlog:class+load:file=" + classes)) {
      Messages results = answer(process, "3 8 0");

      assertEquals(3, results.size());
      assertEquals(2, results.get(2).value()[3]);
      assertTrue(process.program().endsWith("/java"), process::program);
    }
    for (Class<?> of : List.of(Fanout.class, MapStreamServer.class)) {
      String loaded = line(classes, of.getName() + " source: ");
      assertTrue(loaded.contains("shared objects file"), loaded);
    }
  }

  private static String line(Path log, String having) throws IOException {
    try (Stream<String> lines = Files.lines(log)) {
      return lines.filter(line -> line.contains(having)).findFirst().orElse("no " + having);
    }
  }

  @Test
  void anArchiveThatIsOlderThanAJarIsNotUsed() throws Exception {
    Path jar = function.resolve("function.jar");
    FileTime time = Files.getLastModifiedTime(jar);
    Path classes = folder.resolve("classes-without");
    Files.setLastModifiedTime(jar, FileTime.from(time.toInstant().plusSeconds(3600)));
    try (FunctionProcess process = start("-Xlog:class+load:file=" + classes)) {
      assertEquals(1, answer(process, "1 8 0").size());
      assertTrue(process.log().contains("function.jar is newer"), process.log());
    } finally {
      Files.setLastModifiedTime(jar, time);
    }
    String loaded = line(classes, Fanout.class.getName() + " source: ");
    assertTrue(loaded.contains("function.jar"), loaded);
  }

  @Test
  void needsNoTemporaryFolderForNettysLibrary() throws Exception {
    try (Stream<Path> libraries = Files.list(function.resolve("native"))) {
      assumeTrue(libraries.findAny().isPresent(), "Netty has a library for this system");
    }
    try (FunctionProcess process = start("-Djava.io.tmpdir=/nowhere")) {
      assertEquals(1, answer(process, "1 8 0").size());
      assertTrue(process.end().contains("(epoll)"), process.log());
    }
  }

  @Test
  void hasNoJarOfTheTestKit() throws Exception {
    try (Stream<Path> jars = Files.list(function.resolve("lib"))) {
      List<String> names = jars.map(jar -> jar.getFileName().toString()).toList();
      assertFalse(names.stream().anyMatch(name -> name.contains("testkit")), names::toString);
      assertTrue(names.stream().anyMatch(name -> name.contains("grpc-core")), names::toString);
    }
  }

  /** The build copies the jars of an image, which no test assembles, after the tests. */
  @Test
  void theBuildLeavesOutWhatOnlyTestsAndCommandsNeed() throws Exception {
    String build = Files.readString(Path.of(System.getProperty("basedir", "."), "pom.xml"));
    List<String> excluded =
        Pattern.compile("<excludeArtifactIds>(.*)</excludeArtifactIds>\\s*.*/function-lib")
            .matcher(build)
            .results()
            .map(found -> found.group(1))
            .toList();

    assertEquals(2, excluded.size());
    for (String each : excluded) {
      List<String> names = List.of(each.split(",", -1));
      assertTrue(
          names.containsAll(List.of("mapstream-testkit", "grpc-inprocess", "picocli")), each);
    }
  }
}
