package io.mapstream.testkit;

/**
 * The server broke the protocol: a result after the EOT of its datum, an id that nobody sent,
 * results on an EOT, a stream closed with OK before all datums had their EOT, a server info file
 * that the platform would refuse. The data plane loses data over these, mostly without a word. A
 * test that does not catch this error fails.
 */
public class ProtocolFaultError extends AssertionError {

  private static final long serialVersionUID = 1L;

  /**
   * Describes the fault.
   *
   * @param message what the server did, and to which datum
   */
  public ProtocolFaultError(String message) {
    super(message);
  }
}
