/**
 * What the author of a map-stream function writes against: the handler's interface and the values
 * it takes and gives. It needs the JDK alone: the annotations of {@code org.jspecify} are for
 * compilers that read them, and are not exported with {@code transitive}, which would make every
 * module that uses this one have them as well.
 */
module io.mapstream.api {
  requires static org.jspecify;

  exports io.mapstream;
}
