package io.mapstream;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How the source should treat a datum that a {@linkplain Message#toNack(NackOptions) nack} returns
 * to it. Each option may be absent. What an option does depends on the source.
 *
 * <p>Numaflow supports nacks and their options since 1.8.2.
 *
 * <p>Immutable, equal by content, safe for use by several threads.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers do not need
public final class NackOptions {

  /**
   * The greatest value of {@link #maxDeliveries()}, which is an unsigned 32-bit number on the wire.
   */
  public static final long MAX_DELIVERIES_LIMIT = 0xFFFF_FFFFL;

  private static final Duration LONGEST_DELAY = Duration.ofMillis(Long.MAX_VALUE);

  private final @Nullable String reason;
  private final @Nullable Long maxDeliveries;
  private final @Nullable Duration delay;
  private final Map<String, String> nackMap;

  private NackOptions(Builder builder) {
    reason = builder.reason;
    maxDeliveries = builder.maxDeliveries;
    delay = builder.delay;
    nackMap = Checks.textEntries("nackMap", builder.nackMap);
  }

  /**
   * Creates options with a reason only.
   *
   * @param reason human-readable; {@code null}, as an exception's message may be, for none
   * @return the options
   * @throws IllegalArgumentException if the reason has an unpaired surrogate
   */
  public static NackOptions of(@Nullable String reason) {
    return builder().reason(reason).build();
  }

  /** {@return a builder with nothing set} */
  public static Builder builder() {
    return new Builder();
  }

  /** {@return a builder with all fields set as in these options} */
  public Builder toBuilder() {
    Builder builder = new Builder().reason(reason).delay(delay).nackMap(nackMap);
    return maxDeliveries == null ? builder : builder.maxDeliveries(maxDeliveries);
  }

  /** {@return why the datum could not be handled, in human-readable form, if given} */
  public Optional<String> reason() {
    return Optional.ofNullable(reason);
  }

  /**
   * {@return the maximum number of times to deliver the datum, from 0 to {@link
   * #MAX_DELIVERIES_LIMIT}, if given}
   */
  public OptionalLong maxDeliveries() {
    return maxDeliveries == null ? OptionalLong.empty() : OptionalLong.of(maxDeliveries);
  }

  /**
   * {@return how long to wait before the next delivery, in whole milliseconds, not negative, if
   * given}
   */
  public Optional<Duration> delay() {
    return Optional.ofNullable(delay);
  }

  /** {@return an unmodifiable map of further options, by names that the source knows} */
  public Map<String, String> nackMap() {
    return nackMap;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof NackOptions that
        && Objects.equals(reason, that.reason)
        && Objects.equals(maxDeliveries, that.maxDeliveries)
        && Objects.equals(delay, that.delay)
        && nackMap.equals(that.nackMap);
  }

  @Override
  public int hashCode() {
    return Objects.hash(reason, maxDeliveries, delay, nackMap);
  }

  /** {@return one line with the options that were given} */
  @Override
  public String toString() {
    StringBuilder shown = new StringBuilder();
    if (reason != null) {
      shown.append(", reason=").append(Shown.text(reason));
    }
    if (maxDeliveries != null) {
      shown.append(", maxDeliveries=").append(maxDeliveries);
    }
    if (delay != null) {
      shown.append(", delay=").append(delay);
    }
    if (!nackMap.isEmpty()) {
      shown.append(", nackMap=").append(Shown.map(nackMap, Shown::text));
    }
    return "NackOptions[" + (shown.isEmpty() ? "" : shown.substring(2)) + "]";
  }

  /**
   * Collects the options. A setter replaces what was set before. Not safe for use by several
   * threads.
   */
  public static final class Builder {

    private @Nullable String reason;
    private @Nullable Long maxDeliveries;
    private @Nullable Duration delay;
    private Map<String, String> nackMap = new HashMap<>();

    private Builder() {}

    /**
     * Sets why the datum could not be handled.
     *
     * @param reason human-readable; {@code null} for none
     * @return this builder
     * @throws IllegalArgumentException if the reason has an unpaired surrogate
     */
    public Builder reason(@Nullable String reason) {
      this.reason = reason == null ? null : Checks.text("reason", reason);
      return this;
    }

    /**
     * Sets the maximum number of times to deliver the datum.
     *
     * @param maxDeliveries a count from 0 to {@link NackOptions#MAX_DELIVERIES_LIMIT}
     * @return this builder
     * @throws IllegalArgumentException if the count is out of range
     */
    public Builder maxDeliveries(long maxDeliveries) {
      if (maxDeliveries < 0 || maxDeliveries > MAX_DELIVERIES_LIMIT) {
        throw new IllegalArgumentException(
            "maxDeliveries must be from 0 to "
                + MAX_DELIVERIES_LIMIT
                + " but was "
                + maxDeliveries);
      }
      this.maxDeliveries = maxDeliveries;
      return this;
    }

    /**
     * Sets how long to wait before the datum is delivered again, in whole milliseconds. It is
     * rounded down: 1.7 ms becomes 1 ms, and 0.7 ms becomes 0.
     *
     * @param delay not negative, at most {@link Long#MAX_VALUE} ms; {@code null} to leave it to the
     *     source
     * @return this builder
     * @throws IllegalArgumentException if the delay is out of range
     */
    public Builder delay(@Nullable Duration delay) {
      if (delay != null && (delay.isNegative() || delay.compareTo(LONGEST_DELAY) > 0)) {
        throw new IllegalArgumentException(
            "delay must be from PT0S to " + LONGEST_DELAY + " but was " + delay);
      }
      this.delay = delay == null ? null : Duration.ofMillis(delay.toMillis());
      return this;
    }

    /**
     * Sets all further options.
     *
     * @param nackMap the options; copied; {@code null} for none
     * @return this builder
     * @throws NullPointerException if a name or a value is {@code null}
     * @throws IllegalArgumentException if a name or a value has an unpaired surrogate
     */
    public Builder nackMap(@Nullable Map<String, String> nackMap) {
      this.nackMap = new HashMap<>(Checks.textEntries("nackMap", nackMap));
      return this;
    }

    /**
     * Adds a further option, or replaces the one with the same name.
     *
     * @param name a name that the source knows
     * @param value its value
     * @return this builder
     * @throws NullPointerException if an argument is {@code null}
     * @throws IllegalArgumentException if an argument has an unpaired surrogate
     */
    public Builder put(String name, String value) {
      nackMap.put(Checks.text("name", name), Checks.text("value", value));
      return this;
    }

    /**
     * Creates the options.
     *
     * @return options with the values that were set
     */
    public NackOptions build() {
      return new NackOptions(this);
    }
  }
}
