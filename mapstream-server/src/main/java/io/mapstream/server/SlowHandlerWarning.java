package io.mapstream.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Logs which handlers run for too long, and where they are: one line and one stack for all that are
 * at the same place, since a service that hangs blocks hundreds at once.
 */
final class SlowHandlerWarning {

  private static final ServerLog log = ServerLog.of(SlowHandlerWarning.class);

  /** Enough to find the place in the handler's code. */
  private static final int FRAMES = 60;

  private final Duration limit;

  SlowHandlerWarning(Duration limit) {
    this.limit = limit;
  }

  /**
   * Logs on a separate thread: stacks and the application's log may take long, and a virtual thread
   * might get no carrier because of the very handlers to be reported.
   */
  void of(List<HandlerTask> found) {
    Thread.ofPlatform().daemon().name("mapstream-slow").start(() -> log(found));
  }

  private void log(List<HandlerTask> found) {
    Map<String, List<String>> idsByStack = new LinkedHashMap<>();
    for (HandlerTask task : found) {
      String stack = text(task.stack());
      if (!task.hasReturned()) {
        idsByStack.computeIfAbsent(stack, none -> new ArrayList<>()).add("\"" + task.id() + "\"");
      }
    }
    idsByStack.forEach(this::log);
  }

  private void log(String stack, List<String> ids) {
    if (ids.size() == 1) {
      log.warn("the handler of datum {} has run for more than {}{}", ids.get(0), limit(), stack);
    } else {
      log.warn(
          "{} handlers have run for more than {} (datums {}){}",
          ids.size(),
          limit(),
          String.join(", ", ids),
          stack);
    }
  }

  private String limit() {
    return LogLines.seconds(limit);
  }

  private static String text(StackTraceElement[] stack) {
    if (stack.length == 0) {
      return "; no stack: waiting for a carrier";
    }
    String more = stack.length > FRAMES ? "\n\t... " + (stack.length - FRAMES) + " more" : "";
    return List.of(stack).stream()
        .limit(FRAMES)
        .map(frame -> "\n\tat " + frame)
        .collect(Collectors.joining("", ", at", more));
  }
}
