/**
 * The API for authors of map-stream functions: the handler's interface, its input and its output.
 * It needs only the JDK: the annotations of {@code org.jspecify} are for compilers that read them,
 * and are not required with {@code transitive}, which would force them on every module that uses
 * this one.
 */
module io.mapstream.api {
  requires static org.jspecify;

  exports io.mapstream;
}
