package io.mapstream.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each test a resource of its own and closes it after the test. A parameter of the resource's
 * type gets it, if the test has one extension for that type only.
 *
 * @param <T> the resource
 */
abstract sealed class PerTestExtension<T>
    implements BeforeEachCallback, AfterEachCallback, ParameterResolver
    permits MapStreamHarnessExtension, MapStreamTestServerExtension {

  private final Class<T> type;
  private final String name;

  /** By the test's id: several when tests run at the same time. */
  private final Map<String, T> open = new ConcurrentHashMap<>();

  PerTestExtension(Class<T> type, String name) {
    this.type = type;
    this.name = name;
  }

  abstract T make() throws Exception;

  abstract void close(T resource, boolean testFailed);

  /** The resource of the test that runs. */
  final T current() {
    List<T> now = List.copyOf(open.values());
    if (now.size() == 1) {
      return now.getFirst();
    }
    throw new IllegalStateException(
        now.isEmpty()
            ? "no test runs: a "
                + name
                + " is there from before each test to after it, if the extension is in a field with"
                + " @RegisterExtension"
            : now.size()
                + " tests share this extension at the same time: take the "
                + name
                + " as a parameter of the test method");
  }

  @Override
  public final void beforeEach(ExtensionContext context) throws Exception {
    open.put(context.getUniqueId(), make());
    extensions(context).add(this);
  }

  @Override
  public final void afterEach(ExtensionContext context) {
    T resource = open.remove(context.getUniqueId());
    if (resource != null) {
      close(resource, context.getExecutionException().isPresent());
    }
  }

  /** Those of this type that serve the test, in the order of their registration. */
  @SuppressWarnings("unchecked")
  private List<Object> extensions(ExtensionContext context) {
    var store =
        context.getStore(
            ExtensionContext.Namespace.create(PerTestExtension.class, type, context.getUniqueId()));
    List<Object> extensions = store.get(List.class, List.class);
    if (extensions == null) {
      extensions = new ArrayList<>();
      store.put(List.class, extensions);
    }
    return extensions;
  }

  /** The first one answers for all of them, since JUnit allows one. */
  @Override
  public final boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == type
        && open.containsKey(context.getUniqueId())
        && extensions(context).getFirst() == this;
  }

  @Override
  public final Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    int extensions = extensions(context).size();
    @Nullable T resource = open.get(context.getUniqueId());
    if (resource == null || extensions > 1) {
      throw new ParameterResolutionException(
          "a parameter can't tell which of "
              + extensions
              + " extensions it comes from: take the "
              + name
              + " from the extension's field, by "
              + name
              + "()");
    }
    return resource;
  }
}
