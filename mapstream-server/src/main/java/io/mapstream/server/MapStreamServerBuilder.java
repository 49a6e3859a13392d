package io.mapstream.server;

import io.mapstream.MapStreamer;
import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Builds a server with given settings; {@link MapStreamServer#builder} returns one. Settings that
 * are not set here come from the environment, as described in {@link ServerOptions}. Not
 * thread-safe.
 */
public final class MapStreamServerBuilder {

  private final MapStreamer handler;
  private Runnable onStop = () -> {};

  // Read by ServerOptions; null if not set in code.
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
   * Sets all settings to those of another server. {@link #onStop} is not copied. If the other
   * server has no {@code numaflowVersion}, the environment may still set one here.
   *
   * @param options the settings; later calls may change each of them
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
   * @param socketPath where the server creates its socket
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
   * Sets the largest encoded request and response. Clients have their own limit (64 MiB in the data
   * plane), which this one should not exceed.
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
   * Sets the maximum number of datums in work at once. The default is more than the data plane
   * sends. Set it lower if the services that the handler calls can't take that many calls at once.
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
   * Sets whether the datum's id is put into SLF4J's MDC on its handler's thread, so that each log
   * line of a handler can name its datum. It is removed when the handler has returned. Whether
   * threads that the handler starts inherit it depends on the binding (in Logback and Log4j 2 they
   * do not).
   *
   * @param datumIdInMdc whether to put it there, under the key {@code datumId}
   * @return this
   */
  public MapStreamServerBuilder datumIdInMdc(boolean datumIdInMdc) {
    this.datumIdInMdc = datumIdInMdc;
    return this;
  }

  /**
   * Sets how long a handler may run before a warning is logged, once, with the datum's id and the
   * thread's stack. This includes time for which the handler is blocked in {@code emit}. The
   * warning is late by at most an eighth of this time, and handlers at the same place share one.
   * The handler itself is not affected.
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
   * Sets the Numaflow release that the function runs under. The platform does not report its
   * release to a function, so it has to be set here. A release treats a mark that it does not know
   * as an ordinary tag: it acknowledges the datum and forwards an empty message. Marks that the
   * given release does not know are therefore refused: {@link #build()} refuses the policy FAIL,
   * and {@code emit} refuses a message with such a mark. Nacks are known since 1.8.2, fails only
   * after 1.8.3. If no release is set, the server logs warnings.
   *
   * @param numaflowVersion such as {@code 1.8.3} or {@code v1.8.3}, at least 1.4.0
   * @return this
   * @throws IllegalArgumentException if it is not a release, or less than 1.4.0
   * @throws NullPointerException if {@code numaflowVersion} is null
   */
  public MapStreamServerBuilder numaflowVersion(String numaflowVersion) {
    this.numaflowRelease =
        NumaflowRelease.parse(Objects.requireNonNull(numaflowVersion, "numaflowVersion"));
    return this;
  }

  /**
   * Sets a callback that runs once when a stop begins, whatever the reason: for instance, to leave
   * a load balancer or to notify threads other than handlers. A handler that follows an endless
   * source calls {@link io.mapstream.MessageSink#isStopping()} instead. The callback runs on its
   * own thread, during the {@link #shutdownGrace} of open handlers. The stop waits for it until the
   * grace period is over, or for a second if a failure is the reason, and then interrupts it. So it
   * must not wait for the end of the server or call {@code System.exit}; {@link
   * MapStreamServer#close()} returns at once in it. An exception is logged and has no other effect.
   *
   * @param onStop the callback, which replaces any earlier one
   * @return this
   * @throws NullPointerException if {@code onStop} is null
   */
  public MapStreamServerBuilder onStop(Runnable onStop) {
    this.onStop = Objects.requireNonNull(onStop, "onStop");
    return this;
  }

  /**
   * Sets the number of carriers that the JVM may have at most while handlers wait for one. Carriers
   * are the platform threads that run virtual threads, as many as there are processors. A handler
   * that computes, or blocks in native code, keeps its carrier. If a started handler waits for 20
   * milliseconds and no other begins meanwhile, the number of carriers is raised. Some time after
   * the last such wait (a second, or up to a minute if waits recur at once), the previous number is
   * restored. The number belongs to the JVM, so all servers of the process share it. It can be
   * changed on JDK 24 and newer; on older JDKs it stays the same, and starvation is counted, and
   * logged once.
   *
   * @param maxCarriers the limit; zero never changes the number, and does not detect starvation
   * @return this
   * @throws IllegalArgumentException if it is negative
   */
  public MapStreamServerBuilder maxCarriers(int maxCarriers) {
    this.maxCarriers = ServerOptions.checkCarriers(maxCarriers);
    return this;
  }

  /**
   * Creates the server, without starting it. The environment is read here.
   *
   * @return the server
   * @throws IllegalArgumentException if a variable that is used has an unusable value (the message
   *     names both), or if the error policy is FAIL and the release {@code numaflowVersion} does
   *     not know its mark
   */
  public MapStreamServer build() {
    return new MapStreamServer(handler, optionsIn(System.getenv()), onStop);
  }

  /** Returns the settings that a server would have in the given environment. */
  ServerOptions optionsIn(Map<String, String> environment) {
    return new ServerOptions(this, new Environment(environment));
  }
}
