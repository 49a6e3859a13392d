package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls every public method of the package with {@code null} for each argument in turn. */
class NullArgumentsTest {

  private static final MapStreamer HANDLER = new WordSplitter();

  @RegisterExtension
  final MapStreamHarnessExtension harness = MapStreamHarnessExtension.of(HANDLER);

  @RegisterExtension
  final MapStreamTestServerExtension server = MapStreamTestServerExtension.of(HANDLER);

  /** One of each type that has methods or is an argument. */
  private final Map<Class<?>, Callable<Object>> samples =
      Map.ofEntries(
          Map.entry(int.class, () -> 1),
          Map.entry(BooleanSupplier.class, () -> (BooleanSupplier) () -> true),
          Map.entry(ClientStream.class, () -> server.server().client().stream()),
          Map.entry(Consumer.class, () -> (Consumer<Object>) any -> {}),
          Map.entry(Datum.class, () -> TestDatum.of("a")),
          Map.entry(Duration.class, () -> Duration.ofSeconds(1)),
          Map.entry(Map.class, Map::of),
          Map.entry(MapRequest.class, Codec::handshake),
          Map.entry(MapStreamClient.class, () -> server.server().client()),
          Map.entry(MapStreamClient.Builder.class, () -> MapStreamClient.builder(Path.of("s"))),
          Map.entry(MapStreamHarness.class, () -> harness.harness()),
          Map.entry(MapStreamHarness.Builder.class, () -> MapStreamHarness.builder(HANDLER)),
          Map.entry(MapStreamHarnessExtension.class, () -> harness),
          Map.entry(MapStreamTestServer.class, () -> server.server()),
          Map.entry(MapStreamTestServerExtension.class, () -> server),
          Map.entry(MapStreamer.class, () -> HANDLER),
          Map.entry(Message.class, () -> Message.of("a")),
          Map.entry(Path.class, () -> Path.of("s")),
          Map.entry(RawStream.class, () -> server.server().client().openRawStream()),
          Map.entry(RecordingSink.class, RecordingSink::new),
          Map.entry(Reply.class, () -> server.send("a")),
          Map.entry(ReplyListener.class, NullArgumentsTest::listener),
          Map.entry(String.class, () -> "a"));

  private static ReplyListener listener() {
    return new ReplyListener() {
      @Override
      public void message(Message message) {}

      @Override
      public void ended() {}

      @Override
      public void failed(Throwable reason) {}
    };
  }

  /** The argument at an index of a call. */
  record Argument(Executable call, int index) {

    Parameter parameter() {
      return call.getParameters()[index];
    }

    boolean isRequired() {
      return !parameter().getType().isPrimitive()
          && !parameter().getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    @Override
    public String toString() {
      List<String> types =
          Arrays.stream(call.getParameterTypes()).map(Class::getSimpleName).toList();
      String type = call.getDeclaringClass().getName().replaceFirst(".*\\.", "");
      return type + "." + call.getName() + types + ": " + parameter().getName();
    }
  }

  static List<Argument> arguments() throws Exception {
    Path classes =
        Path.of(Reply.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .resolve(Reply.class.getPackageName().replace('.', '/'));
    try (Stream<Path> files = Files.list(classes)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.matches("(?!Internal|package).*\\.class"))
          .map(file -> type(file.replace(".class", "")))
          .filter(type -> Modifier.isPublic(type.getModifiers()) && !type.isInterface())
          .flatMap(NullArgumentsTest::calls)
          .flatMap(call ->
              IntStream.range(0, call.getParameterCount()).mapToObj(i -> new Argument(call, i)))
          .filter(Argument::isRequired)
          .toList();
    }
  }

  private static Class<?> type(String name) {
    try {
      return Class.forName(Reply.class.getPackageName() + "." + name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  private static Stream<Executable> calls(Class<?> type) {
    return Stream.<Executable>concat(
            Arrays.stream(type.getDeclaredConstructors()), Arrays.stream(type.getDeclaredMethods()))
        .filter(call -> Modifier.isPublic(call.getModifiers()) && !call.getName().equals("equals"));
  }

  @ParameterizedTest
  @MethodSource("arguments")
  void nullIsRefusedWithTheNameOfTheParameter(Argument argument) throws Exception {
    Class<?>[] types = argument.call().getParameterTypes();
    Object[] values = new Object[types.length];
    for (int i = 0; i < types.length; i++) {
      values[i] = i == argument.index() ? null : samples.get(types[i]).call();
    }

    var thrown =
        assertThrows(
            InvocationTargetException.class,
            () -> {
              switch (argument.call()) {
                case Constructor<?> constructor -> constructor.newInstance(values);
                case Method method when Modifier.isStatic(method.getModifiers()) ->
                    method.invoke(null, values);
                case Method method ->
                    method.invoke(samples.get(method.getDeclaringClass()).call(), values);
              }
            });

    var refusal = assertInstanceOf(NullPointerException.class, thrown.getCause());
    assertEquals(argument.parameter().getName(), refusal.getMessage());
  }
}
