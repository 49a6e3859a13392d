package io.mapstream.testkit;

/**
 * Thrown when the server violates the protocol: a result after the EOT of its datum, an id that was
 * not sent, results on an EOT, a stream closed with OK before all datums had their EOT, or a server
 * info file that the platform would refuse. These make the data plane lose data, mostly silently. A
 * test that does not catch this error fails.
 */
public class ProtocolFaultError extends AssertionError {

  private static final long serialVersionUID = 1L;

  ProtocolFaultError(String message) {
    super(message);
  }
}
