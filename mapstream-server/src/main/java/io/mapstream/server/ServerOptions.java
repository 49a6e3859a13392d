package io.mapstream.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link MapStreamServer}. Immutable. Each is taken from the code where the
 * builder was given it, else from the environment where the variable is set and not blank, else
 * from the default; all take effect at {@link MapStreamServer#start()}.
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
 * <tr><td>{@link #shutdownGrace()}</td><td>{@code MAPSTREAM_SHUTDOWN_GRACE_SECONDS}, else {@code
 *     NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS}</td><td>30 seconds</td></tr>
 * <tr><td>{@link #errorPolicy()}</td><td>{@code MAPSTREAM_ERROR_POLICY}</td>
 *     <td>{@link ErrorPolicy#STOP}</td></tr>
 * <tr><td>{@link #datumIdInMdc()}</td><td>{@code MAPSTREAM_DATUM_ID_IN_MDC}</td>
 *     <td>false</td></tr>
 * <tr><td>{@link #slowHandlerWarning()}</td><td>{@code MAPSTREAM_SLOW_HANDLER_SECONDS}</td>
 *     <td>0, which is off</td></tr>
 * </table>
 */
public final class ServerOptions {

  /** What becomes of a datum whose handler throws, and of the server. */
  public enum ErrorPolicy {
    /**
     * The platform's default: the stream ends with INTERNAL and the message {@code
     * UDF_EXECUTION_ERROR(<container>): <message>}, other handlers are interrupted, the server
     * stops, and {@link MapStreamServer#awaitTermination()} throws. The platform restarts the
     * container and sends all datums again that were not answered; an input that always fails loops
     * so for ever.
     */
    STOP,

    /**
     * The datum alone is answered with the fail mark, and the pipeline's {@code retryStrategy}
     * decides about it; everything else goes on. Each failure is counted and logged at WARN.
     * Results that the handler emitted before have left already and are repeated by a retry. It
     * needs a platform that knows the mark. An {@link Error}, but for a {@link StackOverflowError}
     * outside of {@code emit}, stops the server all the same: it says something about the process
     * and not about the datum.
     */
    FAIL
  }

  private static final String DEFAULT_SOCKET = "/var/run/numaflow/mapstream.sock";
  private static final String DEFAULT_INFO_FILE = "/var/run/numaflow/mapper-server-info";
  private static final int DEFAULT_MESSAGE_SIZE = 64 * 1024 * 1024;
  private static final int DEFAULT_CONCURRENCY = 10_000;
  private static final long DEFAULT_GRACE_SECONDS = 30;

  private final Path socketPath;
  private final Path serverInfoFile;
  private final int maxMessageSize;
  private final int maxConcurrency;
  private final Duration shutdownGrace;
  private final ErrorPolicy errorPolicy;
  private final boolean datumIdInMdc;
  private final Duration slowHandlerWarning;
  private final String containerType;

  private ServerOptions(Builder builder, Environment env) {
    socketPath = env.orElse(builder.socketPath, "MAPSTREAM_SOCKET_PATH", Path::of, DEFAULT_SOCKET);
    serverInfoFile =
        env.orElse(
            builder.serverInfoFile, "MAPSTREAM_SERVER_INFO_FILE", Path::of, DEFAULT_INFO_FILE);
    maxMessageSize =
        env.orElse(
            builder.maxMessageSize,
            "MAPSTREAM_MAX_MESSAGE_SIZE",
            text -> checkMessageSize(parseInt("maxMessageSize", text)),
            String.valueOf(DEFAULT_MESSAGE_SIZE));
    maxConcurrency =
        env.orElse(
            builder.maxConcurrency,
            "MAPSTREAM_MAX_CONCURRENCY",
            text -> checkConcurrency(parseInt("maxConcurrency", text)),
            String.valueOf(DEFAULT_CONCURRENCY));
    shutdownGrace =
        env.orElse(
            builder.shutdownGrace,
            env.isSet("MAPSTREAM_SHUTDOWN_GRACE_SECONDS")
                ? "MAPSTREAM_SHUTDOWN_GRACE_SECONDS"
                : "NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS",
            text -> checkGrace(parseSeconds("shutdownGrace", text)),
            String.valueOf(DEFAULT_GRACE_SECONDS));
    errorPolicy =
        env.orElse(
            builder.errorPolicy,
            "MAPSTREAM_ERROR_POLICY",
            ServerOptions::parsePolicy,
            ErrorPolicy.STOP.name());
    datumIdInMdc =
        env.orElse(
            builder.datumIdInMdc,
            "MAPSTREAM_DATUM_ID_IN_MDC",
            text -> parseBoolean("datumIdInMdc", text),
            "false");
    slowHandlerWarning =
        env.orElse(
            builder.slowHandlerWarning,
            "MAPSTREAM_SLOW_HANDLER_SECONDS",
            text -> checkSlowHandler(parseSeconds("slowHandlerWarning", text)),
            "0");
    containerType =
        env.orElse(
            builder.containerType,
            "NUMAFLOW_UD_CONTAINER_TYPE",
            Function.identity(),
            "unknown-container");
  }

  /**
   * {@return the settings that the environment and the defaults give}
   *
   * @throws IllegalArgumentException if a variable has an unusable value; it names both
   */
  public static ServerOptions fromEnvironment() {
    return builder().build();
  }

  /** {@return a builder with nothing set} */
  public static Builder builder() {
    return new Builder();
  }

  /** {@return the Unix socket that the server listens on} */
  public Path socketPath() {
    return socketPath;
  }

  /** {@return the file that tells the data plane that a map-stream server is there} */
  public Path serverInfoFile() {
    return serverInfoFile;
  }

  /** {@return the largest encoded request taken and response sent, in bytes} */
  public int maxMessageSize() {
    return maxMessageSize;
  }

  /** {@return how many datums are in work at once, over all streams} */
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
   * {@return whether the datum's id is in SLF4J's MDC of its handler's thread, under the key {@code
   * datumId}}
   */
  public boolean datumIdInMdc() {
    return datumIdInMdc;
  }

  /** {@return after what time a handler that still runs is warned about; zero for never} */
  public Duration slowHandlerWarning() {
    return slowHandlerWarning;
  }

  /** The platform's name for this container, for error messages. */
  String containerType() {
    return containerType;
  }

  @Override
  public String toString() {
    return "ServerOptions[socketPath=%s, serverInfoFile=%s, maxMessageSize=%d, maxConcurrency=%d, shutdownGrace=%s, errorPolicy=%s, datumIdInMdc=%s, slowHandlerWarning=%s]"
        .formatted(
            socketPath,
            serverInfoFile,
            maxMessageSize,
            maxConcurrency,
            shutdownGrace,
            errorPolicy,
            datumIdInMdc,
            slowHandlerWarning);
  }

  private static int checkMessageSize(int bytes) {
    return check(bytes >= 1, "maxMessageSize", bytes, "has to be at least 1 byte", bytes);
  }

  private static int checkConcurrency(int datums) {
    return check(datums >= 1, "maxConcurrency", datums, "has to be at least 1", datums);
  }

  private static Duration checkGrace(Duration grace) {
    return check(!grace.isNegative(), "shutdownGrace", grace, "must not be negative", grace);
  }

  private static Duration checkSlowHandler(Duration limit) {
    return check(!limit.isNegative(), "slowHandlerWarning", limit, "must not be negative", limit);
  }

  private static int parseInt(String name, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw refusal(name, text, "has to be a whole number up to " + Integer.MAX_VALUE);
    }
  }

  private static Duration parseSeconds(String name, String text) {
    try {
      return Duration.ofSeconds(Long.parseLong(text));
    } catch (NumberFormatException e) {
      throw refusal(name, text, "has to be a whole number of seconds");
    }
  }

  private static ErrorPolicy parsePolicy(String text) {
    for (ErrorPolicy policy : ErrorPolicy.values()) {
      if (policy.name().equalsIgnoreCase(text)) {
        return policy;
      }
    }
    throw refusal("errorPolicy", text, "has to be STOP or FAIL");
  }

  private static boolean parseBoolean(String name, String text) {
    boolean isTrue = text.equalsIgnoreCase("true");
    boolean valid = isTrue || text.equalsIgnoreCase("false");
    return check(valid, name, text, "has to be true or false", isTrue);
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

  /** The process's environment, or a test's. */
  record Environment(Map<String, String> variables) {

    boolean isSet(String variable) {
      return !variables.getOrDefault(variable, "").isBlank();
    }

    <T> T orElse(
        @Nullable T given, String variable, Function<String, T> parse, String defaultValue) {
      if (given != null) {
        return given;
      }
      if (!isSet(variable)) {
        return parse.apply(defaultValue);
      }
      String text = variables.getOrDefault(variable, "");
      try {
        return parse.apply(text.strip());
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "the environment's " + variable + "=" + text + " can't be used: " + e.getMessage(), e);
      }
    }
  }

  /** Collects settings. Not thread-safe. What is not set comes from the environment. */
  public static final class Builder {

    private @Nullable Path socketPath;
    private @Nullable Path serverInfoFile;
    private @Nullable Integer maxMessageSize;
    private @Nullable Integer maxConcurrency;
    private @Nullable Duration shutdownGrace;
    private @Nullable ErrorPolicy errorPolicy;
    private @Nullable Boolean datumIdInMdc;
    private @Nullable Duration slowHandlerWarning;
    private @Nullable String containerType;

    private Builder() {}

    void all(ServerOptions given) {
      socketPath = given.socketPath;
      serverInfoFile = given.serverInfoFile;
      maxMessageSize = given.maxMessageSize;
      maxConcurrency = given.maxConcurrency;
      shutdownGrace = given.shutdownGrace;
      errorPolicy = given.errorPolicy;
      datumIdInMdc = given.datumIdInMdc;
      slowHandlerWarning = given.slowHandlerWarning;
      containerType = given.containerType;
    }

    /**
     * Sets the Unix socket to listen on. Its folder has to exist, and the path has to fit into the
     * system's limit (106 bytes on Linux); both are checked at the start.
     *
     * @param path where the socket is to be
     * @return this
     */
    public Builder socketPath(Path path) {
      this.socketPath = path;
      return this;
    }

    /**
     * Sets the file that announces the server to the data plane. Its folder has to exist.
     *
     * @param path where the file is to be
     * @return this
     */
    public Builder serverInfoFile(Path path) {
      this.serverInfoFile = path;
      return this;
    }

    /**
     * Sets the largest encoded request and response in bytes. Clients have a limit of their own (64
     * MiB in the data plane), which this one should not exceed.
     *
     * @param bytes at least 1
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxMessageSize(int bytes) {
      this.maxMessageSize = checkMessageSize(bytes);
      return this;
    }

    /**
     * Sets how many datums are in work at once. The default is more than a client asks for; set it
     * lower where what the handler calls can't take so many.
     *
     * @param datums at least 1
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxConcurrency(int datums) {
      this.maxConcurrency = checkConcurrency(datums);
      return this;
    }

    /**
     * Sets how long a stop waits for open handlers before it interrupts them; zero interrupts at
     * once.
     *
     * @param grace zero or more
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder shutdownGrace(Duration grace) {
      this.shutdownGrace = checkGrace(grace);
      return this;
    }

    /**
     * Sets what a handler's exception does.
     *
     * @param policy what is to be done
     * @return this
     */
    public Builder errorPolicy(ErrorPolicy policy) {
      this.errorPolicy = policy;
      return this;
    }

    /**
     * Sets whether the datum's id is in SLF4J's MDC of its handler's thread, so that each log line
     * of a handler can name its datum. It is removed when the handler has left. Whether threads
     * that the handler starts inherit it is up to the binding (in Logback and Log4j 2 they do not).
     *
     * @param inMdc whether it is, under the key {@code datumId}
     * @return this
     */
    public Builder datumIdInMdc(boolean inMdc) {
      this.datumIdInMdc = inMdc;
      return this;
    }

    /**
     * Sets after what time a handler that still runs is warned about, once, with its datum's id and
     * the stack of its thread. Its time includes what it is blocked in {@code emit}. The warning
     * comes when the time is over, at the latest an eighth of it later; handlers at the same place
     * share one. Nothing else happens to the handler.
     *
     * @param limit the time, or zero for no warning
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder slowHandlerWarning(Duration limit) {
      this.slowHandlerWarning = checkSlowHandler(limit);
      return this;
    }

    /**
     * The settings, with what was not set taken from the environment.
     *
     * @return the settings
     * @throws IllegalArgumentException if a variable that is needed has an unusable value; it names
     *     both
     */
    public ServerOptions build() {
      return build(System.getenv());
    }

    ServerOptions build(Map<String, String> environment) {
      return new ServerOptions(this, new Environment(environment));
    }
  }
}
