package io.mapstream.testkit.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts option values that have a unit. */
final class Units {

  private static final Pattern DURATION = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|s|m|h)");
  private static final Pattern SIZE = Pattern.compile("(\\d{1,10})(B|K|KB|KIB|M|MB|MIB)?");

  private Units() {}

  /** {@code 250ms}, {@code 1.5s}, {@code 2m}, {@code 1h}. */
  static Duration duration(String text) {
    Matcher parts = DURATION.matcher(text);
    if (!parts.matches()) {
      throw new TypeConversionException(
          "'" + text + "' is not a duration; write it as 250ms, 10s, 1.5m or 1h");
    }
    Duration unit =
        switch (parts.group(2)) {
          case "ms" -> Duration.ofMillis(1);
          case "s" -> Duration.ofSeconds(1);
          case "m" -> Duration.ofMinutes(1);
          default -> Duration.ofHours(1);
        };
    BigDecimal nanos = new BigDecimal(parts.group(1)).multiply(BigDecimal.valueOf(unit.toNanos()));
    // Durations are capped at one day, so that the sum of two cannot overflow.
    if (nanos.compareTo(BigDecimal.valueOf(Duration.ofDays(1).toNanos())) > 0) {
      throw new TypeConversionException("'" + text + "' is more than 24h");
    }
    return Duration.ofNanos(nanos.longValue());
  }

  /** {@code 100}, {@code 64KiB}, {@code 1MiB}: always powers of 1024. */
  static final class SizeConverter implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      Matcher parts = SIZE.matcher(text.toUpperCase(Locale.ROOT));
      if (!parts.matches()) {
        throw new TypeConversionException(
            "'" + text + "' is not a size; write it as 100, 64KiB or 1MiB");
      }
      String unit = parts.group(2) == null ? "B" : parts.group(2);
      long factor = unit.startsWith("K") ? 1024 : unit.startsWith("M") ? 1024 * 1024 : 1;
      long bytes = Long.parseLong(parts.group(1)) * factor;
      if (bytes > Integer.MAX_VALUE) {
        throw new TypeConversionException(
            "must be at most " + Integer.MAX_VALUE + " bytes but was '" + text + "'");
      }
      return (int) bytes;
    }
  }

  /** {@code 2026-01-01T00:00:00Z}. */
  static Instant instant(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw new TypeConversionException(
          "'" + text + "' is not an instant; write it as 2026-01-01T00:00:00Z");
    }
  }

  /** Refuses two options that cannot be combined. */
  static void refuseBoth(String name, @Nullable Object given, String other, @Nullable Object also) {
    if (given != null && also != null) {
      throw new UsageFault("%s %s and %s %s can't be combined".formatted(name, given, other, also));
    }
  }

  static void requireAtLeastOne(String option, long given) {
    if (given < 1) {
      throw new UsageFault(option + " must be at least 1 but was " + given);
    }
  }

  static void requirePositive(String option, Duration given) {
    if (given.isZero()) {
      throw new UsageFault(option + " must be more than 0 but was 0s");
    }
  }
}
