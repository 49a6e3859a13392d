package io.mapstream.testkit;

import io.mapstream.proto.Durations;
import java.time.Duration;
import java.util.Objects;

/** Checks of arguments; the name is that of the parameter or of the setting. */
final class Arguments {

  private Arguments() {}

  static int atLeastOne(String name, int number) {
    if (number < 1) {
      throw new IllegalArgumentException(name + " must be at least 1 but was " + number);
    }
    return number;
  }

  static Duration notNegative(String name, Duration time) {
    return check(!Objects.requireNonNull(time, name).isNegative(), name, "not be negative", time);
  }

  static Duration positive(String name, Duration time) {
    return check(Objects.requireNonNull(time, name).isPositive(), name, "be more than 0 s", time);
  }

  private static Duration check(boolean valid, String name, String rule, Duration time) {
    if (!valid) {
      throw new IllegalArgumentException(
          name + " must " + rule + " but was " + Durations.text(time));
    }
    return time;
  }
}
