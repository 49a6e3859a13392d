package io.mapstream.server;

import io.mapstream.MapStreamer;
import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Collects the settings of a server; {@link MapStreamServer#builder} makes one. What is not set
 * here comes from the environment, as {@link ServerOptions} says. Not thread-safe.
 */
public final class MapStreamServerBuilder {

  private final MapStreamer handler;
  private Runnable onStop = () -> {};

  // Read by ServerOptions; null where the code has not set it.
  @Nullable Path socketPath;
  @Nullable Path serverInfoFile;
  @Nullable Integer maxMessageSize;
  @Nullable Integer maxConcurrency;
  @Nullable Duration shutdownGrace;
  @Nullable ErrorPolicy errorPolicy;
  @Nullable Boolean datumIdInMdc;
  @Nullable Duration slowHandlerWarning;
  @Nullable Integer maxCarriers;
  @Nullable NumaflowRelease numaflowRelease;
  @Nullable String containerType;

  MapStreamServerBuilder(MapStreamer handler) {
    this.handler = handler;
  }

  /**
   * Sets all settings at once, as another server has them. {@link #onStop} is not taken over. If
   * the other server has no {@code numaflowVersion}, the environment may still set one here.
   *
   * @param options the settings; a later call may still change each of them
   * @return this
   * @throws NullPointerException if {@code options} is null
   */
  public MapStreamServerBuilder options(ServerOptions options) {
    Objects.requireNonNull(options, "options");
    socketPath = options.socketPath();
    serverInfoFile = options.serverInfoFile();
    maxMessageSize = options.maxMessageSize();
    maxConcurrency = options.maxConcurrency();
    shutdownGrace = options.shutdownGrace();
    errorPolicy = options.errorPolicy();
    datumIdInMdc = options.datumIdInMdc();
    slowHandlerWarning = options.slowHandlerWarning();
    maxCarriers = options.maxCarriers();
    numaflowRelease = options.numaflowRelease().orElse(null);
    containerType = options.containerType();
    return this;
  }

  /**
   * Sets the Unix socket to listen on. Its folder must exist, and the path must fit into the
   * system's limit (106 bytes on Linux). Both are checked at the start.
   *
   * @param socketPath where the server makes its socket
   * @return this
   * @throws NullPointerException if {@code socketPath} is null
   */
  public MapStreamServerBuilder socketPath(Path socketPath) {
    this.socketPath = Objects.requireNonNull(socketPath, "socketPath");
    return this;
  }

  /**
   * Sets the file that announces the server to the data plane. Its folder must exist; that is
   * checked at the start.
   *
   * @param serverInfoFile where the server writes the file
   * @return this
   * @throws NullPointerException if {@code serverInfoFile} is null
   */
  public MapStreamServerBuilder serverInfoFile(Path serverInfoFile) {
    this.serverInfoFile = Objects.requireNonNull(serverInfoFile, "serverInfoFile");
    return this;
  }

  /**
   * Sets the largest encoded request and response. Clients have a limit of their own (64 MiB in the
   * data plane), which this one should not exceed.
   *
   * @param maxMessageSize bytes, at least 1
   * @return this
   * @throws IllegalArgumentException if it is less than 1
   */
  public MapStreamServerBuilder maxMessageSize(int maxMessageSize) {
    this.maxMessageSize = ServerOptions.checkMessageSize(maxMessageSize);
    return this;
  }

  /**
   * Sets how many datums are in work at once at most. The default is more than the data plane
   * sends. Set it lower where the services that the handler calls can't take so many calls at once.
   *
   * @param maxConcurrency datums, at least 1
   * @return this
   * @throws IllegalArgumentException if it is less than 1
   */
  public MapStreamServerBuilder maxConcurrency(int maxConcurrency) {
    this.maxConcurrency = ServerOptions.checkConcurrency(maxConcurrency);
    return this;
  }

  /**
   * Sets how long a stop waits for open handlers before it interrupts them.
   *
   * @param shutdownGrace zero or more; zero interrupts at once
   * @return this
   * @throws IllegalArgumentException if it is negative
   * @throws NullPointerException if {@code shutdownGrace} is null
   */
  public MapStreamServerBuilder shutdownGrace(Duration shutdownGrace) {
    this.shutdownGrace =
        ServerOptions.checkGrace(Objects.requireNonNull(shutdownGrace, "shutdownGrace"));
    return this;
  }

  /**
   * Sets what a handler's exception does.
   *
   * @param errorPolicy the policy
   * @return this
   * @throws NullPointerException if {@code errorPolicy} is null
   */
  public MapStreamServerBuilder errorPolicy(ErrorPolicy errorPolicy) {
    this.errorPolicy = Objects.requireNonNull(errorPolicy, "errorPolicy");
    return this;
  }

  /**
   * Sets whether the datum's id is in SLF4J's MDC on its handler's thread, so that each log line of
   * a handler can name its datum. It is removed when the handler has returned. Whether threads that
   * the handler starts inherit it depends on the binding (in Logback and Log4j 2 they do not).
   *
   * @param datumIdInMdc whether it is there, under the key {@code datumId}
   * @return this
   */
  public MapStreamServerBuilder datumIdInMdc(boolean datumIdInMdc) {
    this.datumIdInMdc = datumIdInMdc;
    return this;
  }

  /**
   * Sets how long a handler runs before a warning about it is logged, once, with its datum's id and
   * its thread's stack. The time includes the time that the handler is blocked in {@code emit}. The
   * warning comes an eighth of this time late at most, and handlers at the same place share one.
   * The handler itself is left alone.
   *
   * @param slowHandlerWarning the time, or zero for no warning
   * @return this
   * @throws IllegalArgumentException if it is negative
   * @throws NullPointerException if {@code slowHandlerWarning} is null
   */
  public MapStreamServerBuilder slowHandlerWarning(Duration slowHandlerWarning) {
    this.slowHandlerWarning =
        ServerOptions.checkSlowHandler(
            Objects.requireNonNull(slowHandlerWarning, "slowHandlerWarning"));
    return this;
  }

  /**
   * Sets the Numaflow release that the function runs under. The platform does not tell a function
   * its release, so say it here. A release takes a mark that it does not know for an ordinary tag:
   * it acknowledges the datum and forwards an empty message. So what the given release does not
   * know is refused: {@link #build()} refuses the policy FAIL, and {@code emit} refuses a message
   * with such a mark. Nacks are known since 1.8.2, fails only after 1.8.3. If no release is given,
   * the server logs warnings.
   *
   * @param numaflowVersion such as {@code 1.8.3} or {@code v1.8.3}, at least 1.4.0
   * @return this
   * @throws IllegalArgumentException if it is no such text, or less than 1.4.0
   * @throws NullPointerException if {@code numaflowVersion} is null
   */
  public MapStreamServerBuilder numaflowVersion(String numaflowVersion) {
    this.numaflowRelease =
        NumaflowRelease.parse(Objects.requireNonNull(numaflowVersion, "numaflowVersion"));
    return this;
  }

  /**
   * Sets what is run once when a stop begins, whatever its reason: for instance, to leave a load
   * balancer or to tell threads that are no handlers. A handler that follows an endless source asks
   * {@link io.mapstream.MessageSink#isStopping()} instead. The callback runs on a thread of its
   * own, while open handlers have their {@link #shutdownGrace}. The stop waits for it until the
   * grace is over, or a second if a failure is the reason, and interrupts it then. An exception is
   * logged and changes nothing else.
   *
   * @param onStop the callback; it replaces one that was set before
   * @return this
   * @throws NullPointerException if {@code onStop} is null
   */
  public MapStreamServerBuilder onStop(Runnable onStop) {
    this.onStop = Objects.requireNonNull(onStop, "onStop");
    return this;
  }

  /**
   * Sets up to how many carriers the JVM gets while handlers wait for one. Carriers are the
   * platform threads that run virtual threads, as many as there are processors. A handler that
   * computes, or blocks in native code, keeps its carrier. If a started handler waits for 20
   * milliseconds and no other begins meanwhile, the JVM gets more carriers. Some time after the
   * last such wait (a second, up to a minute if it comes back at once) their number goes back. It
   * belongs to the JVM, so that all servers of the process share it. It can be changed on JDK 24
   * and newer; on an older one it stays, and starvation is counted, and logged once.
   *
   * @param maxCarriers the limit; zero never changes their number, and looks for no starvation
   * @return this
   * @throws IllegalArgumentException if it is negative
   */
  public MapStreamServerBuilder maxCarriers(int maxCarriers) {
    this.maxCarriers = ServerOptions.checkCarriers(maxCarriers);
    return this;
  }

  /**
   * Makes the server, without starting it. The environment is read here.
   *
   * @return the server
   * @throws IllegalArgumentException if a variable that is needed has an unusable value; the
   *     message names both; or if the error policy is FAIL and {@code numaflowVersion} does not
   *     know its mark
   */
  public MapStreamServer build() {
    return new MapStreamServer(handler, optionsIn(System.getenv()), onStop);
  }

  /** The settings that a server would have in that environment. */
  ServerOptions optionsIn(Map<String, String> environment) {
    return new ServerOptions(this, new Environment(environment));
  }
}
