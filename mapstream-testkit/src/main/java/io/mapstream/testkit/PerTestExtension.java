package io.mapstream.testkit;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each test its own resource and closes it after the test. A parameter of the resource's type
 * receives it; JUnit rejects the parameter if two extensions provide that type.
 *
 * @param <T> the type of the resource
 */
abstract sealed class PerTestExtension<T>
    implements BeforeEachCallback, AfterEachCallback, ParameterResolver
    permits MapStreamHarnessExtension, MapStreamTestServerExtension {

  private final Class<T> type;
  private final String name;
  private final Callable<T> maker;
  private final BiConsumer<T, Boolean> closer;

  /** By test id; several if tests run at the same time. */
  private final Map<String, T> open = new ConcurrentHashMap<>();

  /** {@code closer} is told whether the test failed. */
  PerTestExtension(Class<T> type, String name, Callable<T> maker, BiConsumer<T, Boolean> closer) {
    this.type = type;
    this.name = name;
    this.maker = maker;
    this.closer = closer;
  }

  /** Returns the resource of the running test. */
  final T current() {
    List<T> now = List.copyOf(open.values());
    if (now.size() == 1) {
      return now.getFirst();
    }
    String reason =
        now.isEmpty()
            ? "no test is running: a %2$s exists only during a test, and only if the extension is"
                + " in a field with @RegisterExtension"
            : "%1$d tests share this extension at the same time: declare the %2$s as a parameter of"
                + " the test method";
    throw new IllegalStateException(reason.formatted(now.size(), name));
  }

  @Override
  public final void beforeEach(ExtensionContext context) throws Exception {
    open.put(context.getUniqueId(), maker.call());
  }

  @Override
  public final void afterEach(ExtensionContext context) {
    T resource = open.remove(context.getUniqueId());
    if (resource != null) {
      closer.accept(resource, context.getExecutionException().isPresent());
    }
  }

  @Override
  public final boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == type && open.containsKey(context.getUniqueId());
  }

  @Override
  public final @Nullable Object resolveParameter(
      ParameterContext parameter, ExtensionContext context) {
    return open.get(context.getUniqueId());
  }
}
