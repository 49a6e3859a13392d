/** A function on the module path. */
module com.example.words {
  requires io.mapstream.api;
  requires io.mapstream.server;
}
