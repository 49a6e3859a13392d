package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** Checks that the harness does not need JUnit, on a class path without it. */
class WithoutJUnitTest {

  /** Runs on that class path, where its class is loaded a second time. */
  static final class Example implements Callable<List<String>> {
    @Override
    public List<String> call() {
      try (var harness = MapStreamHarness.of(new WordSplitter())) {
        return harness.process("a,b").texts();
      }
    }
  }

  @Test
  void harnessRunsWithoutJUnit() throws Exception {
    List<URL> withoutJUnit = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (!entry.contains("junit")) {
        withoutJUnit.add(Path.of(entry).toUri().toURL());
      }
    }
    try (var loader =
        new URLClassLoader(
            withoutJUnit.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      assertThrows(ClassNotFoundException.class, () -> loader.loadClass(Test.class.getName()));
      var constructor = loader.loadClass(Example.class.getName()).getDeclaredConstructor();
      constructor.setAccessible(true);
      var example = (Callable<?>) constructor.newInstance();

      assertEquals(List.of("a", "b"), example.call());
    }
  }
}
