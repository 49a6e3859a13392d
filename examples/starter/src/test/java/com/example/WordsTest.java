package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.testkit.MapStreamHarnessExtension;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests the handler alone, in memory. */
class WordsTest {

  @RegisterExtension
  final MapStreamHarnessExtension harness = MapStreamHarnessExtension.of(new Words());

  @Test
  void splitsAtCommas() {
    assertEquals(List.of("a", "b"), harness.process("a,b").texts());
  }
}
