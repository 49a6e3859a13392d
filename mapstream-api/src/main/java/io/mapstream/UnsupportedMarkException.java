package io.mapstream;

/**
 * Thrown by {@link MessageSink#emit(Message)} if a message has a mark that the platform's release
 * does not know, and the server's option {@code numaflowVersion} names that release. Nothing of the
 * message was written, and the sink stays usable.
 *
 * <p>The release would treat the mark as an ordinary tag: it would acknowledge the datum and
 * forward an empty message.
 */
public class UnsupportedMarkException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  /** Either nack or fail. */
  private final String mark;

  /** Such as {@code 1.8.3}. */
  private final String numaflowVersion;

  /**
   * Describes a message that was refused.
   *
   * @param mark {@code nack} or {@code fail}
   * @param numaflowVersion the release that does not know it, such as {@code 1.8.3}
   * @param known which releases know it, such as {@code Numaflow 1.8.2 and newer}
   */
  public UnsupportedMarkException(String mark, String numaflowVersion, String known) {
    super(
        "Numaflow "
            + numaflowVersion
            + " does not know the "
            + mark
            + " mark: it would acknowledge the datum and forward an empty message. The mark needs "
            + known
            + "; emit another message, or set numaflowVersion to the release in use");
    this.mark = mark;
    this.numaflowVersion = numaflowVersion;
  }

  /** {@return the mark: {@code nack} or {@code fail}} */
  public String mark() {
    return mark;
  }

  /** {@return the release that does not know it, as set by the option {@code numaflowVersion}} */
  public String numaflowVersion() {
    return numaflowVersion;
  }
}
