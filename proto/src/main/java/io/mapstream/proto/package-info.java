/**
 * What clients and servers share in addition to the generated messages: {@link
 * io.mapstream.proto.Codec} converts the API's values, {@link io.mapstream.proto.StreamRules}
 * checks a stream, {@link io.mapstream.proto.Printable} and {@link io.mapstream.proto.Durations}
 * format text and times for people. Internal: not part of the API, and may change in any release.
 */
package io.mapstream.proto;
