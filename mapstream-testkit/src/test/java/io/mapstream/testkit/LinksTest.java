package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks that the files and headings to which the project's pages link exist. */
class LinksTest {

  private static final Path PROJECT = Path.of("..");

  private static final Pattern FENCED = Pattern.compile("(?ms)^ {0,3}(```+).*?^ {0,3}\\1`*\\s*$");
  private static final Pattern CODE = Pattern.compile("`[^`\\n]*`");
  private static final Pattern LINK = Pattern.compile("\\]\\(\\s*<?([^)>\\s]+)[^)]*\\)");
  private static final Pattern REFERENCE = Pattern.compile("(?m)^ {0,3}\\[[^\\]]+\\]:\\s*(\\S+)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6}\\s+(.+?)\\s*#*$");
  private static final Pattern SCHEME = Pattern.compile("[a-z][a-z+.-]*:.*");

  @Test
  void pagesHaveNoDeadLinks() throws IOException {
    List<Path> pages = pages(PROJECT);
    assertTrue(pages.size() > 10, pages.toString());

    List<String> dead = new ArrayList<>();
    for (Path page : pages) {
      dead.addAll(dead(page));
    }

    assertEquals(List.of(), dead);
  }

  @Test
  void linksToMissingFilesAndHeadingsAreFound(@TempDir Path folder) throws IOException {
    Path page = folder.resolve("page.md");
    Files.writeString(
        folder.resolve("other.md"),
        "# Other\n\n## What `emit` does, and why\n\n## Twice\n\n## Twice\n");
    Files.writeString(
        page,
        """
        # A page
        [a](other.md) [b](other.md#what-emit-does-and-why) [c](#a-page) [d](https://example.org/x)
        [e](none.md) [f](other.md#none) [g](#none) `[h](none.md)` [i](other.md#twice-1) [j]
        ```
        [k](none.md)
        # none
        ```

        [j]: none/reference.md
        """);

    assertEquals(
        List.of(
            "page.md: none.md",
            "page.md: other.md#none",
            "page.md: #none",
            "page.md: none/reference.md"),
        dead(page));
  }

  /** Ensures that each section is at most two clicks away: the README, then the page. */
  @Test
  void eachPageOfTheDocumentationIsLinkedFromTheReadme() throws IOException {
    Set<String> linked =
        LINK.matcher(prose(PROJECT.resolve("README.md")))
            .results()
            .map(found -> found.group(1).replaceAll("#.*", ""))
            .collect(Collectors.toSet());

    try (Stream<Path> files = Files.list(PROJECT.resolve("docs"))) {
      List<String> unlinked =
          files
              .map(file -> "docs/" + file.getFileName())
              .filter(name -> name.endsWith(".md") && !linked.contains(name))
              .sorted()
              .toList();
      assertEquals(List.of(), unlinked);
    }
    assertTrue(linked.contains("docs/testing.md"));
  }

  private static List<Path> pages(Path folder) throws IOException {
    List<Path> pages = new ArrayList<>();
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes) {
            String name = visited.getFileName().toString();
            boolean isOurs =
                visited.equals(folder) || !(name.equals("target") || name.startsWith("."));
            return isOurs ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".md")) {
              pages.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return pages;
  }

  private static List<String> dead(Path page) throws IOException {
    String text = CODE.matcher(prose(page)).replaceAll("");
    return Stream.of(LINK, REFERENCE)
        .flatMap(pattern -> pattern.matcher(text).results())
        .map(found -> found.group(1))
        .filter(target -> !SCHEME.matcher(target).matches())
        .filter(target -> !exists(page, target))
        .map(target -> page.getFileName() + ": " + target)
        .toList();
  }

  private static boolean exists(Path page, String target) {
    String[] parts = target.split("#", 2);
    Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]);
    try {
      return Files.exists(file)
          && (parts.length == 1
              || !file.toString().endsWith(".md")
              || anchors(file).contains(parts[1]));
    } catch (IOException e) {
      return false;
    }
  }

  /** Returns the anchors that GitHub gives to a page's headings. */
  private static Set<String> anchors(Path page) throws IOException {
    Set<String> anchors = new TreeSet<>();
    Map<String, Integer> times = new HashMap<>();
    HEADING
        .matcher(prose(page))
        .results()
        .map(LinksTest::anchor)
        .forEach(anchor -> {
          int before = times.merge(anchor, 1, Integer::sum) - 1;
          anchors.add(before == 0 ? anchor : anchor + "-" + before);
        });
    return anchors;
  }

  private static String anchor(MatchResult heading) {
    return heading
        .group(1)
        .replaceAll("\\[([^\\]]*)\\]\\([^)]*\\)", "$1")
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{L}\\p{N}_ -]", "")
        .replace(' ', '-');
  }

  private static String prose(Path page) throws IOException {
    return FENCED.matcher(Files.readString(page)).replaceAll("");
  }
}
