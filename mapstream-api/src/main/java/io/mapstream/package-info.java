/**
 * Map-stream functions for Numaflow in plain, blocking Java.
 *
 * <p>A map-stream function gets one datum at a time and answers with any number of messages, each
 * of which travels on as soon as it is emitted, while the function still works on the next one.
 * Here the function is a {@link io.mapstream.MapStreamer}: a method that reads a {@link
 * io.mapstream.Datum} and calls {@link io.mapstream.MessageSink#emit(Message) emit} as often as it
 * likes. There is nothing asynchronous to learn: every datum is handled on a virtual thread of its
 * own, {@code emit} waits while the other side is slower, and the end of the method is the end of
 * the datum.
 *
 * <p>The example splits a datum at its commas, tells the platform to forward nothing where there is
 * no word, and keeps the datum's keys on what it emits:
 *
 * {@snippet lang=java :
 * final class FlatMapExample implements MapStreamer {
 *   @Override
 *   public void handle(List<String> keys, Datum datum, MessageSink sink) {
 *     String text = datum.text();
 *     if (text.isBlank()) {
 *       sink.emit(Message.toDrop());
 *       return;
 *     }
 *     for (String word : text.split(",", -1)) {
 *       sink.emit(Message.of(word).withKeys(keys));
 *     }
 *   }
 * }
 * }
 *
 * <table class="striped">
 *   <caption>Where to look first</caption>
 *   <thead>
 *     <tr><th scope="col">Type</th><th scope="col">What it is</th></tr>
 *   </thead>
 *   <tbody>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.MapStreamer}</th>
 *       <td>the function itself: a lambda or a class</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Datum}</th>
 *       <td>what comes in: a value with its keys, times, headers and metadata</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.MessageSink}</th>
 *       <td>where results go; blocks while the client is slower than the function</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Message}</th>
 *       <td>what goes out: a value with keys, tags and metadata, or a drop, nack or fail mark</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Messages}</th>
 *       <td>an immutable list of messages</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.NackOptions}</th>
 *       <td>how a datum handed back to its source is to be delivered again</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Metadata}</th>
 *       <td>values in named groups that travel beside the payload</td>
 *     </tr>
 *   </tbody>
 * </table>
 *
 * <p><b>Values.</b> All of them are immutable and equal by content. Lists and maps are copied where
 * they could still change; byte arrays are handed over instead, since copying each payload would
 * cost more than anything else the library does. Whoever passes an array in gives it away, and must
 * neither change nor reuse it.
 *
 * <p><b>Absent and wrong arguments.</b> Where absence has an obvious meaning, {@code null} is taken
 * as empty: keys, tags, value, headers, metadata. Anything else that is missing or out of range is
 * an {@link java.lang.IllegalArgumentException} that names the field and what was given. Parameters
 * that take {@code null} carry JSpecify's {@code @Nullable}, all others don't.
 */
@NullMarked
package io.mapstream;

import org.jspecify.annotations.NullMarked;
