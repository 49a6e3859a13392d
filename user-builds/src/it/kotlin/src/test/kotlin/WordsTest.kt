package com.example

import io.mapstream.testkit.MapStreamHarness
import io.mapstream.testkit.MapStreamTestServer
import io.mapstream.testkit.TestDatum
import java.time.Duration
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class WordsTest {

  @Test
  fun `splits at commas`() {
    MapStreamHarness.of(words).use { assertEquals(listOf("a", "b"), it.process("a,b").texts()) }
  }

  @Test
  fun `splits at commas in a real server`() {
    MapStreamTestServer.start(words).use {
      val reply = it.client().send(TestDatum.of("a,b"))
      assertEquals(listOf("a", "b"), reply.remaining(Duration.ofSeconds(10)).texts())
    }
  }
}
