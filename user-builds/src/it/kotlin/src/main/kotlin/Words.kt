package com.example

import io.mapstream.MapStreamer
import io.mapstream.Message
import io.mapstream.server.MapStreamServer

/** Splits a datum at its commas. */
val words = MapStreamer { keys, datum, sink ->
  datum.text().split(",").forEach { sink.emit(Message.of(it).withKeys(keys)) }
}

fun main() = MapStreamServer.run(words)
