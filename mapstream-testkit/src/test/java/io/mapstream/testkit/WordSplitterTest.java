package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

// The example of the extension; PagesTest compares the pages with it.
class WordSplitterTest {

  @RegisterExtension
  final MapStreamHarnessExtension harness = MapStreamHarnessExtension.of(new WordSplitter());

  @Test
  void splitsAtCommas() {
    assertEquals(List.of("a", "b"), harness.process("a,b").texts());
  }
}
