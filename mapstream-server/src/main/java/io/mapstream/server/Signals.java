package io.mapstream.server;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the signals that end a process, before the JVM does. It uses {@code sun.misc.Signal}, which
 * is in the module {@code jdk.unsupported} and not part of Java, so it is reached by reflection. A
 * signal that can't be taken stays with whoever handles it.
 *
 * <p>Belongs to one thread.
 */
final class Signals {

  private static final Logger log = LoggerFactory.getLogger(Signals.class);

  /** The JVM's own handlers are of this class; one of another class is somebody else's. */
  private static final String OF_THE_JVM = "sun.misc.Signal$SunMiscHandler";

  /** A signal that was taken, and what handled it before. */
  private record Taken(Object signal, Object former) {}

  private final ObjIntConsumer<String> handler;
  private final List<Taken> taken = new ArrayList<>();

  private Signals(ObjIntConsumer<String> handler) {
    this.handler = handler;
  }

  /**
   * Takes SIGTERM, SIGINT and SIGHUP.
   *
   * @param handler told of each by name and number, on a thread that the JVM makes for it
   */
  static Signals take(ObjIntConsumer<String> handler) {
    Signals signals = new Signals(handler);
    try {
      signals.takeAll();
    } catch (ReflectiveOperationException | LinkageError e) {
      log.debug("signals are left to the JVM, since sun.misc.Signal can't be used: {}", "" + e);
    }
    return signals;
  }

  private void takeAll() throws ReflectiveOperationException {
    Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
    Object proxy =
        Proxy.newProxyInstance(
            Signals.class.getClassLoader(), new Class<?>[] {handlerType}, this::invoked);
    for (String name : List.of("TERM", "INT", "HUP")) {
      take(name, proxy);
    }
  }

  private void take(String name, Object proxy) throws ReflectiveOperationException {
    Object signal = Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
    Object former;
    try {
      former = handle(signal, proxy);
    } catch (InvocationTargetException e) {
      log.debug("SIG{} is left to the JVM: {}", name, "" + e.getCause()); // as under -Xrs
      return;
    }
    if (former.getClass().getName().equals(OF_THE_JVM)) {
      taken.add(new Taken(signal, former));
    } else {
      handle(signal, former);
      log.debug("SIG{} is left to {}, which handled it before", name, former);
    }
  }

  private static Object handle(Object signal, Object by) throws ReflectiveOperationException {
    Method handle = signal.getClass().getMethod("handle", signal.getClass(), by(signal.getClass()));
    return handle.invoke(null, signal, by);
  }

  private static Class<?> by(Class<?> signalType) throws ClassNotFoundException {
    return Class.forName("sun.misc.SignalHandler", false, signalType.getClassLoader());
  }

  /** What the JVM calls of the handler, which is no class of ours. */
  private @Nullable Object invoked(Object proxy, Method method, Object @Nullable [] arguments)
      throws ReflectiveOperationException {
    if (arguments == null || arguments.length == 0) {
      return method.getName().equals("hashCode")
          ? System.identityHashCode(proxy)
          : "mapstream's signal handler";
    }
    Object argument = arguments[0];
    if (method.getName().equals("equals")) {
      return isSame(proxy, argument);
    }
    handler.accept(
        (String) argument.getClass().getMethod("getName").invoke(argument),
        (int) argument.getClass().getMethod("getNumber").invoke(argument));
    return null;
  }

  @SuppressWarnings("ReferenceEquality") // A proxy is equal to itself alone.
  private static boolean isSame(Object proxy, Object other) {
    return proxy == other;
  }

  /** Gives all back to what handled them before. */
  void giveBack() {
    for (Taken one : taken) {
      try {
        handle(one.signal(), one.former());
      } catch (ReflectiveOperationException e) {
        log.debug("{} was not given back", one.signal(), e);
      }
    }
  }
}
