package io.mapstream.server;

import io.grpc.Status;
import io.mapstream.SinkClosedException;
import io.netty.handler.codec.http2.Http2Error;
import java.util.List;

/**
 * An action that a client should not perform.
 *
 * @param name what the client does
 * @param sent performs the action on a new connection
 * @param seen the required outcomes
 */
record HostileScenario(String name, Sent sent, List<Seen> seen) {

  static HostileScenario scenario(String name, Sent sent, Seen... seen) {
    return new HostileScenario(name, sent, List.of(seen));
  }

  @Override
  public String toString() {
    return name;
  }

  /** What a client sends. */
  interface Sent {
    void on(RawConnection connection, ScriptedHandler handler);
  }

  /** An outcome that the client, or a check of the handler, must observe. */
  sealed interface Seen {

    void on(RawConnection connection, ScriptedHandler handler);

    /** The connection ends with an error code. */
    record GoAway(Http2Error error) implements Seen {
      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        connection.await(toString(), c -> c.goAway() == error);
        connection.await("disconnected", RawConnection::isDisconnected);
      }
    }

    /** The connection ends. */
    record Disconnected() implements Seen {
      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        connection.await("disconnected", RawConnection::isDisconnected);
      }
    }

    /** One stream ends by a reset; the connection continues. */
    record Reset(int stream, Http2Error error) implements Seen {
      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        connection.await(toString(), c -> c.received(stream).reset == error);
      }
    }

    /**
     * One stream ends with a status that fits into a client's headers; the connection continues.
     */
    record Ended(int stream, Status.Code code, String text) implements Seen {
      private static final int LONGEST_TEXT = 2000;

      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        connection.await(
            toString(),
            c ->
                String.valueOf(code.value()).equals(c.received(stream).header("grpc-status"))
                    && String.valueOf(c.received(stream).header("grpc-message")).contains(text));
        connection.await("the stream's end", c -> c.received(stream).ended);
        String message = connection.received(stream).header("grpc-message");
        if (message != null && message.length() > LONGEST_TEXT) {
          throw new AssertionError("a status of %d characters".formatted(message.length()));
        }
      }
    }

    /** One stream is answered with an HTTP status; the connection continues. */
    record Http(int stream, int status) implements Seen {
      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        connection.await(
            toString(), c -> String.valueOf(status).equals(c.received(stream).header(":status")));
      }
    }

    /** A new stream on the same connection is served in full. */
    record Serves(int stream) implements Seen {
      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        Ledger ledger = new Ledger();
        ledger.expect("after", 1, 3);
        connection.open(stream).datum(stream, "after", "fan 1 3 8 0").halfClose(stream);
        connection.await("served on stream " + stream, c -> c.received(stream).ended);
        connection.received(stream).responses.forEach(ledger::received);
        ledger.verifyComplete();
      }
    }

    /** The handler of the datum with this id was interrupted, or its emit refused. */
    record Stopped(String id) implements Seen {
      @Override
      public void on(RawConnection connection, ScriptedHandler handler) {
        Waits.until(
            toString(),
            () ->
                handler.stoppedBy(id) instanceof InterruptedException
                    || handler.stoppedBy(id) instanceof SinkClosedException,
            () -> handler.stoppedBy(id));
      }
    }
  }
}
