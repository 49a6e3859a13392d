package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file from which the platform's UI shows a critical error. */
class ErrorReportTest {

  private static final Instant NOW = Instant.ofEpochSecond(1_700_000_000, 999_000_000);

  @TempDir private Path folder;

  private static HandlerFailure failure(String message) {
    IllegalStateException cause = new IllegalStateException(message);
    cause.setStackTrace(new StackTraceElement[] {new StackTraceElement("a.B", "c", "B.java", 7)});
    return new HandlerFailure("id", cause, "udf");
  }

  private List<Path> files() throws IOException {
    try (var files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void reportIsOneFileOfTheContainerNamedByTheSecond() throws Exception {
    new ErrorReport(folder).writeOnce(failure("boom"), NOW);

    Path report = folder.resolve("udf/1700000000-udf.json");
    assertEquals(List.of(report), files());
    assertEquals(
        "{\"container\":\"udf\",\"timestamp\":1700000000,\"code\":\"INTERNAL\","
            + "\"message\":\"UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: boom\","
            + "\"details\":\"java.lang.IllegalStateException: boom\\n\\tat a.B.c(B.java:7)\\n\"}",
        Files.readString(report, UTF_8));
  }

  @Test
  void whateverAMessageHoldsIsJsonOfWholeCharacters() throws Exception {
    new ErrorReport(folder).writeOnce(failure("\"\\ \r\n\t\u0000\u001F ß 地 🌍 \uD83C"), NOW);

    String escaped = "\\\"\\\\ \\u000d\\n\\t\\u0000\\u001f ß 地 🌍 \ufffd";
    assertEquals(
        "{\"container\":\"udf\",\"timestamp\":1700000000,\"code\":\"INTERNAL\","
            + "\"message\":\"UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: "
            + escaped
            + "\",\"details\":\"java.lang.IllegalStateException: "
            + escaped
            + "\\n\\tat a.B.c(B.java:7)\\n\"}",
        Files.readString(files().get(0), UTF_8));
  }

  /** A report that a killed process left incomplete, or a malicious link. */
  @Test
  void aLinkAtTheTemporaryNameIsNotFollowed() throws Exception {
    Path own = Files.createDirectory(folder.resolve("udf"));
    Path target = Files.writeString(folder.resolve("target"), "precious");
    Files.createSymbolicLink(own.resolve("current-udf.json"), target);

    new ErrorReport(folder).writeOnce(failure("boom"), NOW);

    assertEquals("precious", Files.readString(target));
    assertTrue(Files.readString(own.resolve("1700000000-udf.json")).contains("boom"));
  }

  @Test
  void onlyTheFirstIsWritten() throws Exception {
    ErrorReport report = new ErrorReport(folder);

    report.writeOnce(failure("first"), NOW);
    report.writeOnce(failure("second"), NOW.plusSeconds(1));

    assertEquals(List.of(folder.resolve("udf/1700000000-udf.json")), files());
  }

  @Test
  void nothingIsWrittenIfThePlatformHasNotCreatedTheFolder() throws Exception {
    Path missing = folder.resolve("missing");
    ErrorReport report = new ErrorReport(missing);

    report.writeOnce(failure("boom"), NOW);
    assertFalse(Files.exists(missing));

    Files.createDirectory(missing);
    report.writeOnce(failure("boom"), NOW);
    assertEquals(1, files().size());
  }

  @Test
  void aFolderThatCannotBeWrittenCausesNoFurtherFailure() throws Exception {
    Files.writeString(folder.resolve("udf"), "a file where the folder should be");

    new ErrorReport(folder).writeOnce(failure("boom"), NOW);

    assertEquals(List.of(folder.resolve("udf")), files());
  }
}
