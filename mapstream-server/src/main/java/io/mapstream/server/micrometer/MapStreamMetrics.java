package io.mapstream.server.micrometer;

import io.mapstream.server.FailureKind;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.ServerMetrics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * Shows {@link MapStreamServer#metrics()} in a {@link MeterRegistry}.
 *
 * {@snippet :
 * MapStreamServer server = MapStreamServer.builder(handler).build();
 * new MapStreamMetrics(server).bindTo(registry);
 * server.run();
 * }
 *
 * <table>
 * <caption>Meters; {@link ServerMetrics} says exactly what each counts</caption>
 * <tr><th>name</th><th>type, unit</th><th>what</th></tr>
 * <tr><td>{@code mapstream.streams}</td><td>counter, streams</td><td>opened by clients</td></tr>
 * <tr><td>{@code mapstream.streams.active}</td><td>gauge, streams</td><td>open now</td></tr>
 * <tr><td>{@code mapstream.datums}</td><td>counter, datums</td><td>admitted</td></tr>
 * <tr><td>{@code mapstream.answered}</td><td>counter, datums</td>
 *     <td>whose EOT was written</td></tr>
 * <tr><td>{@code mapstream.datums.active}</td><td>gauge, datums</td><td>in work now</td></tr>
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
 * <tr><td>{@code mapstream.failures}</td><td>counter, failures; tag {@code kind}</td>
 *     <td>a {@link FailureKind} in lower case</td></tr>
 * </table>
 *
 * <p>The meters read the server when the registry asks, and cost it nothing otherwise. They hold it
 * weakly: a server that nobody uses any more can be collected, and its meters stand still or go to
 * NaN then. May be bound to several registries, by any thread, before or after the server's start.
 */
public final class MapStreamMetrics implements MeterBinder {

  private final MapStreamServer server;
  private final Tags tags;

  /**
   * Meters without tags of their own.
   *
   * @param server whose numbers they show
   */
  public MapStreamMetrics(MapStreamServer server) {
    this(server, List.of());
  }

  /**
   * Meters that each carry some tags, which tell servers of one process apart.
   *
   * @param server whose numbers they show
   * @param tags added to each meter
   */
  public MapStreamMetrics(MapStreamServer server, Iterable<Tag> tags) {
    this.server = Objects.requireNonNull(server, "server");
    this.tags = Tags.of(tags);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    Meters meters = new Meters(registry, server, tags);
    bindStreamsAndDatums(meters);
    bindResultsAndBytes(meters);
    bindTimes(meters);
    for (FailureKind kind : FailureKind.values()) {
      meters
          .with(Tag.of("kind", kind.name().toLowerCase(Locale.ROOT)))
          .counter("mapstream.failures", "failures", m -> m.failures(kind), "Failures by kind");
    }
  }

  private static void bindStreamsAndDatums(Meters meters) {
    meters.counter(
        "mapstream.streams",
        "streams",
        ServerMetrics::streamsOpened,
        "Streams that clients have opened");
    meters.gauge(
        "mapstream.streams.active", "streams", ServerMetrics::streamsOpen, "Streams open now");
    meters.counter("mapstream.datums", "datums", ServerMetrics::datumsAdmitted, "Datums taken on");
    meters.counter(
        "mapstream.answered",
        "datums",
        ServerMetrics::datumsAnswered,
        "Datums whose EOT was written");
    meters.gauge(
        "mapstream.datums.active", "datums", ServerMetrics::datumsInWork, "Datums in work now");
  }

  private static void bindResultsAndBytes(Meters meters) {
    meters.counter(
        "mapstream.results", "results", ServerMetrics::results, "Results written to clients");
    meters.counter(
        "mapstream.received",
        "bytes",
        ServerMetrics::requestBytes,
        "Size of the encoded requests of the datums taken on");
    meters.counter(
        "mapstream.sent", "bytes", ServerMetrics::resultBytes, "Size of the results as encoded");
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
        ServerMetrics::emitsWaiting,
        "Calls of emit that are blocked now");
  }

  /** Registers meters that read one server. */
  private record Meters(MeterRegistry registry, MapStreamServer server, Tags tags) {

    Meters with(Tag tag) {
      return new Meters(registry, server, tags.and(tag));
    }

    void counter(
        String name, String unit, ToLongFunction<ServerMetrics> value, String description) {
      FunctionCounter.builder(name, server, s -> value.applyAsLong(s.metrics()))
          .tags(tags)
          .baseUnit(unit)
          .description(description)
          .register(registry);
    }

    void seconds(String name, Function<ServerMetrics, Duration> value, String description) {
      FunctionCounter.builder(name, server, s -> inSeconds(value.apply(s.metrics())))
          .tags(tags)
          .baseUnit("seconds")
          .description(description)
          .register(registry);
    }

    void gauge(String name, String unit, ToLongFunction<ServerMetrics> value, String description) {
      Gauge.builder(name, server, s -> value.applyAsLong(s.metrics()))
          .tags(tags)
          .baseUnit(unit)
          .description(description)
          .register(registry);
    }

    void timer(
        String name,
        ToLongFunction<ServerMetrics> count,
        Function<ServerMetrics, Duration> total,
        String description) {
      FunctionTimer.builder(
              name,
              server,
              s -> count.applyAsLong(s.metrics()),
              s -> inSeconds(total.apply(s.metrics())),
              TimeUnit.SECONDS)
          .tags(tags)
          .description(description)
          .register(registry);
    }

    private static double inSeconds(Duration time) {
      return time.getSeconds() + time.getNano() / 1e9;
    }
  }
}
