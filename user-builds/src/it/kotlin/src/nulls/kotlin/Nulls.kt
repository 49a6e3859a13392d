package com.example

import io.mapstream.Datum
import io.mapstream.MessageSink
import io.mapstream.Message
import io.mapstream.server.MapStreamServer

// Each line that ends with null must fail to compile: code must handle values that may be missing.

fun of(fields: Map<String, String>) = Message.of(fields["x"]) // null

fun keys(keys: List<String?>) = Message.of("x").withKeys(keys) // null

fun emit(sink: MessageSink, message: Message?) = sink.emit(message) // null

fun server() = MapStreamServer.builder(null) // null

fun value(fields: Map<String, String>) = Message.of(fields["x"] ?: "none")

fun header(datum: Datum) = datum.headers()["x"].length // null
