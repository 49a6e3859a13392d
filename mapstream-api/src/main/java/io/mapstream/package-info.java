/**
 * Map-stream functions for Numaflow in plain, blocking Java.
 *
 * <p>A map-stream function receives datums and answers each with any number of messages. Each
 * message is forwarded as soon as it is emitted, while the function works on the next one. The
 * function is a {@link io.mapstream.MapStreamer}: a method that reads a {@link io.mapstream.Datum}
 * and calls {@link io.mapstream.MessageSink#emit(Message) emit} any number of times. It is called
 * for many datums at the same time, each on its own virtual thread. The API is synchronous: {@code
 * emit} blocks while the client is slower, and the datum is done when the method returns.
 *
 * <p>The example splits a datum at its commas, drops a datum without words, and keeps the datum's
 * keys on the messages:
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
 *       <td>the input: a value with its keys, times, headers and metadata</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.MessageSink}</th>
 *       <td>accepts the messages; blocks while the client is slower than the function</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Message}</th>
 *       <td>the output: a value with keys, tags and metadata, or a drop, nack or fail mark</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Messages}</th>
 *       <td>an immutable list of messages</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.NackOptions}</th>
 *       <td>how a source should deliver a nacked datum again</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.Metadata}</th>
 *       <td>values in named groups that accompany the payload</td>
 *     </tr>
 *   </tbody>
 * </table>
 *
 * <p><b>Values.</b> All value types are immutable and equal by content. Lists and maps are copied
 * if they could change. Byte arrays are not copied: a message's array must not be changed until
 * {@link io.mapstream.MessageSink#emit(Message) emit} has returned, and may be changed or reused
 * afterwards; the arrays of a datum and of metadata must not be changed at all.
 *
 * <p><b>Null.</b> A parameter with JSpecify's {@code @Nullable} accepts {@code null} for absent,
 * which is the same as empty: the keys, tags and metadata of a message, and every optional field of
 * a datum. {@code null} for any other parameter, or within a list or a map, causes a {@link
 * java.lang.NullPointerException} whose message is the parameter's name, with the position in it:
 * {@code tags[1]}.
 *
 * <p><b>Text.</b> A string with an unpaired surrogate (half an emoji) can't be sent unchanged. It
 * causes an {@link java.lang.IllegalArgumentException} with the position: {@code tags[1]: unpaired
 * surrogate at index 3}. A value out of range also causes an {@code IllegalArgumentException}, with
 * the limit and the given value.
 */
@NullMarked
package io.mapstream;

import org.jspecify.annotations.NullMarked;
