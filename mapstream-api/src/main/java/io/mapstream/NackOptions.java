package io.mapstream;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How a datum that a {@linkplain Message#toNack(NackOptions) nack} hands back to its source is to
 * be treated there. Each option may be absent, and means what the source makes of it.
 *
 * <p>Immutable, equal by content, safe for use by several threads.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers need not have
public final class NackOptions {

  /**
   * The greatest value of {@link #maxDeliveries()}: the wire has an unsigned 32-bit number for it.
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
    nackMap = Checks.entries("NackOptions.nackMap", builder.nackMap);
  }

  /**
   * Makes options that only give a reason.
   *
   * @param reason for people to read; {@code null}, as an exception's message may be, for none
   * @return the options
   */
  public static NackOptions of(@Nullable String reason) {
    return builder().reason(reason).build();
  }

  /** {@return a builder with nothing set} */
  public static Builder builder() {
    return new Builder();
  }

  /** {@return a builder with all fields set as they are here} */
  public Builder toBuilder() {
    Builder builder = new Builder().reason(reason).delay(delay).nackMap(nackMap);
    return maxDeliveries == null ? builder : builder.maxDeliveries(maxDeliveries);
  }

  /** {@return why the datum could not be handled, for people to read, if given} */
  public Optional<String> reason() {
    return Optional.ofNullable(reason);
  }

  /**
   * {@return how often to deliver the datum at most, from 0 to {@link #MAX_DELIVERIES_LIMIT}, if
   * given}
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

  /** {@return one line with what was given} */
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
     * @param reason for people to read; {@code null} for none
     * @return this builder
     */
    public Builder reason(@Nullable String reason) {
      this.reason = reason;
      return this;
    }

    /**
     * Sets how often the datum should be delivered at most.
     *
     * @param maxDeliveries a count from 0 to {@link NackOptions#MAX_DELIVERIES_LIMIT}
     * @return this builder
     * @throws IllegalArgumentException if the count is outside of that
     */
    public Builder maxDeliveries(long maxDeliveries) {
      if (maxDeliveries < 0 || maxDeliveries > MAX_DELIVERIES_LIMIT) {
        throw new IllegalArgumentException(
            "NackOptions.maxDeliveries must be from 0 to "
                + MAX_DELIVERIES_LIMIT
                + " but was "
                + maxDeliveries);
      }
      this.maxDeliveries = maxDeliveries;
      return this;
    }

    /**
     * Sets how long to wait before the datum is delivered again. The wire counts milliseconds, so
     * what is finer is cut off here: a computed delay of 1.7 ms becomes 1 ms, one of 0.7 ms becomes
     * none.
     *
     * @param delay not negative, at most {@link Long#MAX_VALUE} ms; {@code null} to leave it to the
     *     source
     * @return this builder
     * @throws IllegalArgumentException if the delay is outside of that
     */
    public Builder delay(@Nullable Duration delay) {
      if (delay != null && (delay.isNegative() || delay.compareTo(LONGEST_DELAY) > 0)) {
        throw new IllegalArgumentException(
            "NackOptions.delay must be from PT0S to " + LONGEST_DELAY + " but was " + delay);
      }
      this.delay = delay == null ? null : Duration.ofMillis(delay.toMillis());
      return this;
    }

    /**
     * Sets all further options.
     *
     * @param nackMap copied; {@code null} for none
     * @return this builder
     */
    public Builder nackMap(@Nullable Map<String, String> nackMap) {
      this.nackMap = nackMap == null ? new HashMap<>() : new HashMap<>(nackMap);
      return this;
    }

    /**
     * Adds a further option, or replaces the one of the same name.
     *
     * @param name a name that the source knows
     * @param value its value
     * @return this builder
     */
    public Builder put(String name, String value) {
      nackMap.put(name, value);
      return this;
    }

    /**
     * Makes the options.
     *
     * @return options with what was set
     * @throws IllegalArgumentException if a name or a value of {@code nackMap} is {@code null}; the
     *     message says which
     */
    public NackOptions build() {
      return new NackOptions(this);
    }
  }
}
