package io.mapstream;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** The example in package-info.java compiles and does what the text says. */
class PackagePageTest {

  private final FlatMapExample example = new FlatMapExample();
  private final List<Message> emitted = new ArrayList<>();

  @Test
  void exampleOnThePageIsTheCompiledOne() throws IOException {
    List<String> compiled =
        between("src/test/java/io/mapstream/FlatMapExample.java", "// @start"::equals, "// @end");
    List<String> shown =
        between(
                "src/main/java/io/mapstream/package-info.java",
                line -> line.startsWith(" * {@snippet"),
                " * }")
            .stream()
            .map(line -> line.substring(" * ".length()))
            .toList();

    // On the page, the search ends at the brace of the class, which looks like the snippet's end.
    assertEquals(compiled.subList(0, compiled.size() - 1), shown);
  }

  @Test
  void exampleEmitsEachWordUnderTheKeysOfItsDatum() {
    handle("a,b");

    assertEquals(List.of(Message.of("a").withKeys("k"), Message.of("b").withKeys("k")), emitted);
  }

  @Test
  void exampleDropsADatumWithoutAWord() {
    handle(" ");

    assertEquals(List.of(Message.toDrop()), emitted);
  }

  private void handle(String text) {
    Datum datum =
        Datum.builder()
            .keys("k")
            .text(text)
            .eventTime(Instant.EPOCH)
            .watermark(Instant.EPOCH)
            .build();
    example.handle(datum.keys(), datum, emitted::add);
  }

  private static List<String> between(String file, Predicate<String> isStart, String end)
      throws IOException {
    return Files.readAllLines(Path.of(file)).stream()
        .dropWhile(isStart.negate())
        .skip(1)
        .takeWhile(line -> !line.equals(end))
        .toList();
  }
}
