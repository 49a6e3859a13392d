package io.mapstream.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The settings of a {@link MapStreamServer}, as {@link MapStreamServer#options()} returns them. A
 * setting comes from the {@linkplain MapStreamServer#builder builder}; if it is not set there, from
 * the environment, if the variable is set and not blank; otherwise it has its default. All settings
 * take effect at {@link MapStreamServer#start()}. Immutable.
 *
 * <table>
 * <caption>Settings, their environment variables and defaults</caption>
 * <tr><th>setting</th><th>variable</th><th>default</th></tr>
 * <tr><td>{@link #socketPath()}</td><td>{@code MAPSTREAM_SOCKET_PATH}</td>
 *     <td>{@code /var/run/numaflow/mapstream.sock}</td></tr>
 * <tr><td>{@link #serverInfoFile()}</td><td>{@code MAPSTREAM_SERVER_INFO_FILE}</td>
 *     <td>{@code /var/run/numaflow/mapper-server-info}</td></tr>
 * <tr><td>{@link #maxMessageSize()}</td><td>{@code MAPSTREAM_MAX_MESSAGE_SIZE}</td>
 *     <td>67108864 (64 MiB)</td></tr>
 * <tr><td>{@link #maxConcurrency()}</td><td>{@code MAPSTREAM_MAX_CONCURRENCY}</td>
 *     <td>10000</td></tr>
 * <tr><td>{@link #shutdownGrace()}</td><td>{@code MAPSTREAM_SHUTDOWN_GRACE_SECONDS}, otherwise
 *     {@code NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS}</td><td>30 seconds</td></tr>
 * <tr><td>{@link #errorPolicy()}</td><td>{@code MAPSTREAM_ERROR_POLICY}</td>
 *     <td>{@link ErrorPolicy#STOP}</td></tr>
 * <tr><td>{@link #datumIdInMdc()}</td><td>{@code MAPSTREAM_DATUM_ID_IN_MDC}</td>
 *     <td>false</td></tr>
 * <tr><td>{@link #slowHandlerWarning()}</td><td>{@code MAPSTREAM_SLOW_HANDLER_SECONDS}</td>
 *     <td>0, which is off</td></tr>
 * <tr><td>{@link #maxCarriers()}</td><td>{@code MAPSTREAM_MAX_CARRIERS}</td>
 *     <td>64</td></tr>
 * <tr><td>{@link #numaflowVersion()}</td><td>{@code MAPSTREAM_NUMAFLOW_VERSION}</td>
 *     <td>none: the release is not known</td></tr>
 * </table>
 */
public final class ServerOptions {

  /** What happens to a datum whose handler throws, and to the server. */
  public enum ErrorPolicy {
    /**
     * The platform's default: the stream ends with INTERNAL and the message {@code
     * UDF_EXECUTION_ERROR(<container>): <message>}, other handlers are interrupted, the server
     * stops, and {@link MapStreamServer#awaitTermination()} throws. The platform restarts the
     * container and sends all unanswered datums again. An input that always fails keeps the
     * container restarting.
     */
    STOP,

    /**
     * Only this datum is answered with the fail mark, and the pipeline's {@code retryStrategy}
     * decides about it; everything else continues. Each failure is counted, and logged at WARN; of
     * similar ones within ten seconds, the log has the first and their number. Results that the
     * handler emitted before it failed have been sent, and a retry sends them again. This policy
     * needs a Numaflow release after 1.8.3: up to that release, the platform does not know the
     * mark, acknowledges the datum and forwards an empty message; see {@link #numaflowVersion()}.
     * An {@link Error}, except a {@link StackOverflowError} outside of {@code emit}, still stops
     * the server, since it concerns the process rather than the datum.
     */
    FAIL
  }

  private static final String DEFAULT_SOCKET = "/var/run/numaflow/mapstream.sock";
  private static final String DEFAULT_INFO_FILE = "/var/run/numaflow/mapper-server-info";
  private static final int DEFAULT_MESSAGE_SIZE = 64 * 1024 * 1024;
  private static final int DEFAULT_CONCURRENCY = 10_000;
  private static final long DEFAULT_GRACE_SECONDS = 30;
  private static final int DEFAULT_CARRIERS = 64;

  private final Path socketPath;
  private final Path serverInfoFile;
  private final int maxMessageSize;
  private final int maxConcurrency;
  private final Duration shutdownGrace;
  private final ErrorPolicy errorPolicy;
  private final boolean datumIdInMdc;
  private final Duration slowHandlerWarning;
  private final int maxCarriers;
  private final Optional<NumaflowRelease> numaflowRelease;
  private final String containerType;
  private final List<String> misspelt;

  /** Takes the settings of {@code given}, and the others from the environment. */
  ServerOptions(MapStreamServerBuilder given, Environment env) {
    socketPath = env.orElse(given.socketPath, Path::of, DEFAULT_SOCKET, "MAPSTREAM_SOCKET_PATH");
    serverInfoFile =
        env.orElse(given.serverInfoFile, Path::of, DEFAULT_INFO_FILE, "MAPSTREAM_SERVER_INFO_FILE");
    maxMessageSize =
        env.orElse(
            given.maxMessageSize,
            text -> checkMessageSize(parseInt("maxMessageSize", text)),
            String.valueOf(DEFAULT_MESSAGE_SIZE),
            "MAPSTREAM_MAX_MESSAGE_SIZE");
    maxConcurrency =
        env.orElse(
            given.maxConcurrency,
            text -> checkConcurrency(parseInt("maxConcurrency", text)),
            String.valueOf(DEFAULT_CONCURRENCY),
            "MAPSTREAM_MAX_CONCURRENCY");
    shutdownGrace =
        env.orElse(
            given.shutdownGrace,
            text -> checkGrace(parseSeconds("shutdownGrace", text)),
            String.valueOf(DEFAULT_GRACE_SECONDS),
            "MAPSTREAM_SHUTDOWN_GRACE_SECONDS",
            "NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS");
    errorPolicy =
        env.orElse(
            given.errorPolicy,
            ServerOptions::parsePolicy,
            ErrorPolicy.STOP.name(),
            "MAPSTREAM_ERROR_POLICY");
    datumIdInMdc =
        env.orElse(
            given.datumIdInMdc,
            text -> parseBoolean("datumIdInMdc", text),
            "false",
            "MAPSTREAM_DATUM_ID_IN_MDC");
    slowHandlerWarning =
        env.orElse(
            given.slowHandlerWarning,
            text -> checkSlowHandler(parseSeconds("slowHandlerWarning", text)),
            "0",
            "MAPSTREAM_SLOW_HANDLER_SECONDS");
    maxCarriers =
        env.orElse(
            given.maxCarriers,
            text -> checkCarriers(parseInt("maxCarriers", text)),
            String.valueOf(DEFAULT_CARRIERS),
            "MAPSTREAM_MAX_CARRIERS");
    numaflowRelease =
        env.orElse(
            given.numaflowRelease == null ? null : Optional.of(given.numaflowRelease),
            text -> Optional.of(text).filter(set -> !set.isEmpty()).map(NumaflowRelease::parse),
            "",
            "MAPSTREAM_NUMAFLOW_VERSION");
    MarkCheck.check(errorPolicy, numaflowRelease);
    containerType =
        env.orElse(
            given.containerType,
            Function.identity(),
            "unknown-container",
            "NUMAFLOW_UD_CONTAINER_TYPE");
    misspelt = env.misspelt();
  }

  /**
   * {@return the settings from the environment and the defaults}
   *
   * @throws IllegalArgumentException if a variable has an unusable value; the message names both
   */
  public static ServerOptions fromEnvironment() {
    return in(System.getenv());
  }

  /** Returns the settings from the given environment and the defaults. */
  static ServerOptions in(Map<String, String> environment) {
    return MapStreamServer.builder((keys, datum, sink) -> {}).optionsIn(environment);
  }

  /** {@return the Unix socket that the server listens on} */
  public Path socketPath() {
    return socketPath;
  }

  /** {@return the file that announces the server to the data plane} */
  public Path serverInfoFile() {
    return serverInfoFile;
  }

  /** {@return the largest encoded request accepted and response sent, in bytes} */
  public int maxMessageSize() {
    return maxMessageSize;
  }

  /** {@return the maximum number of datums in work at once, over all streams} */
  public int maxConcurrency() {
    return maxConcurrency;
  }

  /** {@return how long a stop waits for open handlers before it interrupts them} */
  public Duration shutdownGrace() {
    return shutdownGrace;
  }

  /** {@return what a handler's exception does} */
  public ErrorPolicy errorPolicy() {
    return errorPolicy;
  }

  /**
   * {@return whether the datum's id is in SLF4J's MDC on its handler's thread, under the key {@code
   * datumId}}
   */
  public boolean datumIdInMdc() {
    return datumIdInMdc;
  }

  /** {@return how long a handler may run before a warning is logged; zero for never} */
  public Duration slowHandlerWarning() {
    return slowHandlerWarning;
  }

  /**
   * {@return the number of carriers (platform threads that run virtual threads) that the JVM may
   * have at most while handlers wait for one; zero never changes the number}
   */
  public int maxCarriers() {
    return maxCarriers;
  }

  /**
   * {@return the Numaflow release that the function runs under, such as {@code 1.8.3}; empty if it
   * was not set} Marks that this release does not know are refused: building a server with the
   * policy FAIL fails, and {@code emit} throws {@link io.mapstream.UnsupportedMarkException}. If it
   * is empty, the server logs warnings.
   */
  public Optional<String> numaflowVersion() {
    return numaflowRelease.map(NumaflowRelease::toString);
  }

  /** Returns the same release, parsed. */
  Optional<NumaflowRelease> numaflowRelease() {
    return numaflowRelease;
  }

  /** Returns the platform's name for this container, for error messages. */
  String containerType() {
    return containerType;
  }

  /**
   * Returns a line for each variable that looks like a setting's but is not, naming the nearest.
   */
  List<String> misspelt() {
    return misspelt;
  }

  @Override
  public String toString() {
    return "ServerOptions[socketPath=%s, serverInfoFile=%s, maxMessageSize=%d, maxConcurrency=%d, shutdownGrace=%s, errorPolicy=%s, datumIdInMdc=%s, slowHandlerWarning=%s, maxCarriers=%d, numaflowVersion=%s]"
        .formatted(
            socketPath,
            serverInfoFile,
            maxMessageSize,
            maxConcurrency,
            shutdownGrace,
            errorPolicy,
            datumIdInMdc,
            slowHandlerWarning,
            maxCarriers,
            numaflowVersion().orElse("none"));
  }

  static int checkMessageSize(int bytes) {
    return check(bytes >= 1, "maxMessageSize", bytes, "must be at least 1", bytes);
  }

  static int checkConcurrency(int datums) {
    return check(datums >= 1, "maxConcurrency", datums, "must be at least 1", datums);
  }

  static Duration checkGrace(Duration grace) {
    return check(!grace.isNegative(), "shutdownGrace", grace, "must not be negative", grace);
  }

  static Duration checkSlowHandler(Duration limit) {
    return check(!limit.isNegative(), "slowHandlerWarning", limit, "must not be negative", limit);
  }

  static int checkCarriers(int carriers) {
    return check(carriers >= 0, "maxCarriers", carriers, "must be at least 0", carriers);
  }

  private static int parseInt(String name, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw refusal(name, text, "must be a whole number up to " + Integer.MAX_VALUE);
    }
  }

  private static Duration parseSeconds(String name, String text) {
    try {
      return Duration.ofSeconds(Long.parseLong(text));
    } catch (NumberFormatException e) {
      throw refusal(name, text, "must be a whole number of seconds");
    }
  }

  private static ErrorPolicy parsePolicy(String text) {
    for (ErrorPolicy policy : ErrorPolicy.values()) {
      if (policy.name().equalsIgnoreCase(text)) {
        return policy;
      }
    }
    throw refusal("errorPolicy", text, "must be STOP or FAIL");
  }

  private static boolean parseBoolean(String name, String text) {
    boolean isTrue = text.equalsIgnoreCase("true");
    boolean valid = isTrue || text.equalsIgnoreCase("false");
    return check(valid, name, text, "must be true or false", isTrue);
  }

  private static <T> T check(boolean valid, String name, Object given, String rule, T value) {
    if (!valid) {
      throw refusal(name, given, rule);
    }
    return value;
  }

  private static IllegalArgumentException refusal(String name, Object given, String rule) {
    return new IllegalArgumentException(name + " " + rule + " but was " + given);
  }
}
