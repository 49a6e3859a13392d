/**
 * What clients and servers share besides the generated messages: {@link io.mapstream.proto.Codec}
 * converts the API's values, {@link io.mapstream.proto.StreamRules} judges a stream, {@link
 * io.mapstream.proto.Printable} and {@link io.mapstream.proto.Durations} write for people.
 * Internal: not part of the API, and free to change with each release.
 */
package io.mapstream.proto;
