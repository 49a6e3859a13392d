package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.mapstream.Datum;
import io.mapstream.proto.map.v1.MapResponse;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The harness needs neither JUnit nor gRPC: this one runs it with a class path that has none. */
class WithoutJUnitTest {

  /** What runs there; its class is loaded once more. */
  static final class Example implements Callable<List<String>> {
    @Override
    public List<String> call() {
      try (var harness = MapStreamHarness.of(new WordSplitter())) {
        return harness.process("a,b").texts();
      }
    }
  }

  @Test
  void harnessRunsWithoutJUnitAndGrpc() throws Exception {
    URL[] needed =
        Stream.of(
                MapStreamHarness.class,
                WordSplitter.class,
                Datum.class,
                MapResponse.class,
                ByteString.class)
            .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
            .distinct()
            .toArray(URL[]::new);
    try (var loader = new URLClassLoader(needed, ClassLoader.getPlatformClassLoader())) {
      assertThrows(ClassNotFoundException.class, () -> loader.loadClass(Test.class.getName()));
      assertThrows(ClassNotFoundException.class, () -> loader.loadClass("io.grpc.Status"));
      var constructor = loader.loadClass(Example.class.getName()).getDeclaredConstructor();
      constructor.setAccessible(true);
      var example = (Callable<?>) constructor.newInstance();

      assertEquals(List.of("a", "b"), example.call());
    }
  }
}
