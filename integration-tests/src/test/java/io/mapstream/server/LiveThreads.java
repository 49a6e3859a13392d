package io.mapstream.server;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The threads of this process, including virtual ones, which no other API lists. */
public final class LiveThreads {

  private static final Pattern THREAD = Pattern.compile("(?m)^#\\d+ \"([^\"]*)\"");

  private LiveThreads() {}

  /** Names of live threads that start with {@code prefix}. */
  public static List<String> named(String prefix) {
    try {
      Path folder = Files.createTempDirectory("threads");
      Path dump = folder.resolve("dump");
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .dumpThreads(dump.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
      String text = Files.readString(dump);
      Files.delete(dump);
      Files.delete(folder);
      return THREAD
          .matcher(text)
          .results()
          .map((MatchResult found) -> found.group(1))
          .filter(name -> name.startsWith(prefix))
          .toList();
    } catch (IOException e) {
      throw new AssertionError("no thread dump", e);
    }
  }
}
