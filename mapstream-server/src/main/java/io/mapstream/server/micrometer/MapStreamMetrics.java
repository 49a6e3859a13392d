package io.mapstream.server.micrometer;

import io.mapstream.server.FailureKind;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.ServerMetrics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes {@link MapStreamServer#metrics()} in a {@link MeterRegistry}, until it is closed.
 *
 * {@snippet :
 * MapStreamServer server = MapStreamServer.builder(handler).build();
 * try (MapStreamMetrics metrics = new MapStreamMetrics(server)) {
 *   metrics.bindTo(registry);
 *   server.run();
 * }
 * }
 *
 * <table>
 * <caption>Meters; {@link ServerMetrics} defines exactly what each counts</caption>
 * <tr><th>name</th><th>type, unit</th><th>what</th></tr>
 * <tr><td>{@code mapstream.streams}</td><td>counter, streams</td><td>opened by clients</td></tr>
 * <tr><td>{@code mapstream.streams.active}</td><td>gauge, streams</td><td>open now</td></tr>
 * <tr><td>{@code mapstream.datums}</td><td>counter, datums</td><td>admitted</td></tr>
 * <tr><td>{@code mapstream.answered}</td><td>counter, datums</td>
 *     <td>whose EOT was written</td></tr>
 * <tr><td>{@code mapstream.datums.active}</td><td>gauge, datums</td><td>in work now</td></tr>
 * <tr><td>{@code mapstream.datums.max}</td><td>gauge, datums</td>
 *     <td>the most that may be in work, {@code maxConcurrency}</td></tr>
 * <tr><td>{@code mapstream.results}</td><td>counter, results</td><td>written to clients</td></tr>
 * <tr><td>{@code mapstream.received}</td><td>counter, bytes</td>
 *     <td>requests of admitted datums</td></tr>
 * <tr><td>{@code mapstream.sent}</td><td>counter, bytes</td><td>results written</td></tr>
 * <tr><td>{@code mapstream.handler}</td><td>timer</td>
 *     <td>handler calls that have ended, and their time</td></tr>
 * <tr><td>{@code mapstream.emit.blocked}</td><td>counter, seconds</td>
 *     <td>time for which {@code emit} was blocked, over all handlers</td></tr>
 * <tr><td>{@code mapstream.emit.waiting}</td><td>gauge, calls</td>
 *     <td>calls of {@code emit} that are blocked now</td></tr>
 * <tr><td>{@code mapstream.starved}</td><td>counter, checks</td>
 *     <td>that found a handler waiting for a carrier while no other began</td></tr>
 * <tr><td>{@code mapstream.failures}</td><td>counter, failures; tag {@code kind}</td>
 *     <td>a {@link FailureKind} in lower case</td></tr>
 * </table>
 *
 * <p>The meters read the server when the registry polls them, and cost nothing otherwise. They
 * refer to the server weakly: they do not prevent its garbage collection, after which they keep
 * their last value or become NaN.
 *
 * <p>Thread-safe. May be bound to several registries, before or after the server's start. Servers
 * that share a registry need different tags: a registry has one meter per name and tags, and keeps
 * the first one.
 */
public final class MapStreamMetrics implements MeterBinder, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(MapStreamMetrics.class);

  private final MapStreamServer server;
  private final Tags tags;

  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<MeterRegistry, List<Meter>> bound = new HashMap<>();
  private boolean closed;

  /**
   * Creates meters without additional tags.
   *
   * @param server the server whose metrics they show
   * @throws NullPointerException if {@code server} is null
   */
  public MapStreamMetrics(MapStreamServer server) {
    this(server, List.of());
  }

  /**
   * Creates meters with additional tags, which distinguish servers that share a registry.
   *
   * @param server the server whose metrics they show
   * @param tags the tags to add to each meter
   * @throws NullPointerException if an argument is null
   */
  public MapStreamMetrics(MapStreamServer server, Iterable<Tag> tags) {
    this.server = Objects.requireNonNull(server, "server");
    this.tags = Tags.of(Objects.requireNonNull(tags, "tags"));
  }

  /**
   * Registers the meters. Does nothing if they are already bound to this registry. If the registry
   * has other meters with the same names and tags, those are kept, and a warning is logged.
   *
   * @param registry the registry for the meters
   * @throws NullPointerException if {@code registry} is null
   * @throws IllegalStateException if this is closed
   */
  @Override
  public void bindTo(MeterRegistry registry) {
    Objects.requireNonNull(registry, "registry");
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("these metrics are closed; create new ones for the server");
      }
      if (!bound.containsKey(registry)) {
        bound.put(registry, register(registry));
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Removes the meters from each registry that they were bound to. A registry then no longer shows
   * the server's metrics, so close this after the server, or after the last scrape. This does not
   * affect the server; calling it again has no effect.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      bound.forEach((registry, meters) -> meters.forEach(registry::remove));
      bound.clear();
    } finally {
      lock.unlock();
    }
  }

  /** Registers the meters, and returns those that are new in the registry. */
  private List<Meter> register(MeterRegistry registry) {
    Set<Meter> before = new HashSet<>(registry.getMeters()); // equal by name and tags
    Meters meters = new Meters(registry, server, tags, new ArrayList<>());
    bindStreamsAndDatums(meters);
    bindResultsAndBytes(meters);
    bindTimes(meters);
    for (FailureKind kind : FailureKind.values()) {
      meters
          .with(Tag.of("kind", kind.name().toLowerCase(Locale.ROOT)))
          .counter("mapstream.failures", "failures", m -> m.failures(kind), "Failures by kind");
    }
    List<Meter> registered = meters.registered();
    if (registered.removeIf(before::contains)) {
      log.warn(
          "the registry already has mapstream meters with the tags {}, which are kept; give each"
              + " server its own tags, or close the first MapStreamMetrics",
          tags.stream().toList());
    }
    return registered;
  }

  private static void bindStreamsAndDatums(Meters meters) {
    meters.counter(
        "mapstream.streams", "streams", ServerMetrics::streamsOpened, "Streams opened by clients");
    meters.gauge(
        "mapstream.streams.active", "streams", s -> s.metrics().streamsOpen(), "Streams open now");
    meters.counter("mapstream.datums", "datums", ServerMetrics::datumsAdmitted, "Datums admitted");
    meters.counter(
        "mapstream.answered",
        "datums",
        ServerMetrics::datumsAnswered,
        "Datums whose EOT was written");
    meters.gauge(
        "mapstream.datums.active", "datums", s -> s.metrics().datumsInWork(), "Datums in work now");
    meters.gauge(
        "mapstream.datums.max",
        "datums",
        s -> s.options().maxConcurrency(),
        "Maximum number of datums in work");
  }

  private static void bindResultsAndBytes(Meters meters) {
    meters.counter(
        "mapstream.results", "results", ServerMetrics::results, "Results written to clients");
    meters.counter(
        "mapstream.received",
        "bytes",
        ServerMetrics::requestBytes,
        "Size of the encoded requests of the datums admitted");
    meters.counter(
        "mapstream.sent", "bytes", ServerMetrics::resultBytes, "Size of the encoded results");
  }

  private static void bindTimes(Meters meters) {
    meters.timer(
        "mapstream.handler",
        ServerMetrics::handlersRun,
        ServerMetrics::handlerTime,
        "Handler calls that have ended");
    meters.seconds(
        "mapstream.emit.blocked",
        ServerMetrics::emitWaitTime,
        "Time for which emit was blocked, over all handlers");
    meters.gauge(
        "mapstream.emit.waiting",
        "calls",
        s -> s.metrics().emitsWaiting(),
        "Calls of emit that are blocked now");
    meters.counter(
        "mapstream.starved",
        "checks",
        ServerMetrics::starvedChecks,
        "Checks that found a handler waiting for a carrier while no other started");
  }

  /** Registers meters that read one server, and keeps the registered meters. */
  private record Meters(
      MeterRegistry registry, MapStreamServer server, Tags tags, List<Meter> registered) {

    Meters with(Tag tag) {
      return new Meters(registry, server, tags.and(tag), registered);
    }

    void counter(
        String name, String unit, ToLongFunction<ServerMetrics> value, String description) {
      counterOf(name, unit, s -> value.applyAsLong(s.metrics()), description);
    }

    void seconds(String name, Function<ServerMetrics, Duration> value, String description) {
      counterOf(name, "seconds", s -> inSeconds(value.apply(s.metrics())), description);
    }

    private void counterOf(
        String name, String unit, ToDoubleFunction<MapStreamServer> value, String description) {
      registered.add(
          FunctionCounter.builder(name, server, value)
              .tags(tags)
              .baseUnit(unit)
              .description(description)
              .register(registry));
    }

    void gauge(
        String name, String unit, ToDoubleFunction<MapStreamServer> value, String description) {
      registered.add(
          Gauge.builder(name, server, value)
              .tags(tags)
              .baseUnit(unit)
              .description(description)
              .register(registry));
    }

    void timer(
        String name,
        ToLongFunction<ServerMetrics> count,
        Function<ServerMetrics, Duration> total,
        String description) {
      registered.add(
          FunctionTimer.builder(
                  name,
                  server,
                  s -> count.applyAsLong(s.metrics()),
                  s -> inSeconds(total.apply(s.metrics())),
                  TimeUnit.SECONDS)
              .tags(tags)
              .description(description)
              .register(registry));
    }

    private static double inSeconds(Duration time) {
      return time.getSeconds() + time.getNano() / 1e9;
    }
  }
}
