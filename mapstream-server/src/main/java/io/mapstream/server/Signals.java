package io.mapstream.server;

import java.lang.invoke.LambdaMetafactory;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over the signals that end a process before the JVM handles them. It uses {@code
 * sun.misc.Signal}, which is in the module {@code jdk.unsupported} and not part of Java, so it is
 * accessed by reflection. A signal that can't be taken over keeps its handler.
 *
 * <p>Not safe for use by several threads.
 */
final class Signals {

  private static final Logger log = LoggerFactory.getLogger(Signals.class);

  /** The class of the JVM's own handlers; a handler of another class belongs to other code. */
  private static final String OF_THE_JVM = "sun.misc.Signal$SunMiscHandler";

  /** A signal that was taken over, and its previous handler. */
  private record Taken(Object signal, Object former) {}

  private final ObjIntConsumer<String> handler;
  private final List<Taken> taken = new ArrayList<>();

  private Signals(ObjIntConsumer<String> handler) {
    this.handler = handler;
  }

  /**
   * Takes over SIGTERM, SIGINT and SIGHUP.
   *
   * @param handler called with the name and number of each, on a thread that the JVM creates for it
   */
  static Signals take(ObjIntConsumer<String> handler) {
    Signals signals = new Signals(handler);
    try {
      signals.takeAll();
    } catch (ReflectiveOperationException | LinkageError e) {
      log.debug("signals are left to the JVM because sun.misc.Signal can't be used: {}", "" + e);
    }
    return signals;
  }

  private void takeAll() throws ReflectiveOperationException {
    Object received = handlerOfTheJvm();
    for (String name : List.of("TERM", "INT", "HUP")) {
      take(name, received);
    }
  }

  /**
   * Returns {@code this::received} as the type that the JVM requires; a proxy would be slow to
   * create.
   */
  @SuppressWarnings("CatchingUnchecked")
  private Object handlerOfTheJvm() throws ReflectiveOperationException {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
    MethodType handle = MethodType.methodType(void.class, Class.forName("sun.misc.Signal"));
    MethodHandle received =
        lookup.findVirtual(
            Signals.class, "received", MethodType.methodType(void.class, Object.class));
    try {
      return LambdaMetafactory.metafactory(
              lookup,
              "handle",
              MethodType.methodType(handlerType, Signals.class),
              handle,
              received,
              handle)
          .getTarget()
          .invoke(this);
    } catch (ReflectiveOperationException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new ReflectiveOperationException(t);
    }
  }

  private void take(String name, Object received) throws ReflectiveOperationException {
    Object signal = Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
    Object former;
    try {
      former = handle(signal, received);
    } catch (InvocationTargetException e) {
      log.debug("SIG{} is left to the JVM: {}", name, "" + e.getCause()); // as under -Xrs
      return;
    }
    if (former.getClass().getName().equals(OF_THE_JVM)) {
      taken.add(new Taken(signal, former));
    } else {
      handle(signal, former);
      log.debug("SIG{} keeps its previous handler {}", name, former);
    }
  }

  private static Object handle(Object signal, Object by) throws ReflectiveOperationException {
    Method handle = signal.getClass().getMethod("handle", signal.getClass(), by(signal.getClass()));
    return handle.invoke(null, signal, by);
  }

  private static Class<?> by(Class<?> signalType) throws ClassNotFoundException {
    return Class.forName("sun.misc.SignalHandler", false, signalType.getClassLoader());
  }

  /** Called by the JVM. */
  @SuppressWarnings("UnusedMethod") // by its name, in handlerOfTheJvm
  private void received(Object signal) {
    try {
      handler.accept(
          (String) signal.getClass().getMethod("getName").invoke(signal),
          (int) signal.getClass().getMethod("getNumber").invoke(signal));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("sun.misc.Signal has changed", e);
    }
  }

  /** Gives all signals back to their previous handlers. */
  void giveBack() {
    for (Taken one : taken) {
      try {
        handle(one.signal(), one.former());
      } catch (ReflectiveOperationException e) {
        log.debug("the previous handler of {} was not restored", one.signal(), e);
      }
    }
  }
}
