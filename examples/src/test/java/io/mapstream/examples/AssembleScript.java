package io.mapstream.examples;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;

/**
 * Calls {@code starter/docker/assemble.sh} with the compiled classes and jars of the tests' class
 * path, so that the project need not be packaged.
 */
final class AssembleScript {

  /** The exit code and output of a process that has ended. */
  record Ended(int code, String printed) {}

  private static final Path SCRIPTS =
      Path.of(System.getProperty("basedir", "."), "starter", "docker");
  private static final long LIMIT_SECONDS = 300;

  /** Parts of the class path that only the tests or the training need, not a function. */
  private static final List<String> TOOLS =
      List.of("mapstream-testkit", "picocli", "HdrHistogram", "junit", "opentest4j", "apiguardian");

  private final Path folder;
  private final Map<String, String> options = new LinkedHashMap<>();
  private final Map<String, String> environment = new HashMap<>();

  /** Lays out the class path as jars in {@code folder}, unless that was done before. */
  AssembleScript(Path folder) throws IOException {
    this.folder = folder;
    Path own = location();
    Path lib = folder.resolve("lib");
    Path tools = folder.resolve("tools");
    if (!Files.exists(lib)) {
      Files.createDirectory(lib);
      Files.createDirectory(tools);
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        Path path = Path.of(entry);
        if (Files.exists(path) && !path.equals(own) && !path.endsWith("test-classes")) {
          Path jar = add(path, tools);
          if (TOOLS.stream().noneMatch(entry::contains)) {
            Files.createSymbolicLink(lib.resolve(jar.getFileName()), jar);
          }
        }
      }
    }
    with("--classes", own);
    with("--lib", lib);
    with("--tools", tools);
    with("--java", Path.of(System.getProperty("java.home"), "bin", "java"));
    with("--datums", 500);
  }

  private static Path location() {
    try {
      return Path.of(FlatMap.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path add(Path entry, Path into) throws IOException {
    if (!Files.isDirectory(entry)) {
      return Files.createSymbolicLink(into.resolve(entry.getFileName()), entry);
    }
    // A module that is compiled but not packaged; its folder is MODULE/target/classes.
    Path jar = into.resolve(entry.getParent().getParent().getFileName() + ".jar");
    ToolProvider pack = ToolProvider.findFirst("jar").orElseThrow();
    pack.run(System.out, System.err, "cf", jar.toString(), "-C", entry.toString(), ".");
    return jar;
  }

  /** Sets an option of the script. */
  AssembleScript with(String option, Object value) {
    options.put(option, value.toString());
    return this;
  }

  AssembleScript without(String option) {
    options.remove(option);
    return this;
  }

  /** Sets a variable of the script's environment. */
  AssembleScript withVariable(String name, Object value) {
    environment.put(name, value.toString());
    return this;
  }

  /** Runs the script and waits until it ends. */
  Ended assemble() throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("sh", SCRIPTS.resolve("assemble.sh").toString()));
    options.forEach((option, value) -> command.addAll(Arrays.asList(option, value)));
    Path printed = Files.createTempFile(folder, "assemble", ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(printed.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IllegalStateException("assemble.sh still runs: " + Files.readString(printed));
    }
    return new Ended(process.exitValue(), Files.readString(printed));
  }
}
