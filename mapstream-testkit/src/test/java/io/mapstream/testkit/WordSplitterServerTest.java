package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WordSplitterServerTest {

  @RegisterExtension
  final MapStreamTestServerExtension server = MapStreamTestServerExtension.of(new WordSplitter());

  @Test
  void splitsAtCommas() throws Exception {
    assertEquals(List.of("a", "b"), server.send("a,b").remaining().texts());
  }
}
