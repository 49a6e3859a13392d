package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Messages;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * What arrives for one datum: its messages, each as soon as it is here, and the EOT.
 *
 * <p>A message is kept until it is taken, once, by {@link #next}, {@link #await} or {@link
 * #takeArrived()}. A stream that breaks takes away none of those that have arrived. All methods may
 * be called from any thread.
 */
public final class Reply {

  private final ClientStream stream;
  private final String id;
  private final Datum datum;

  /** The stream's; guards what follows. */
  private final ReentrantLock lock;

  private final Condition changed;
  private final Deque<Message> arrived = new ArrayDeque<>();
  private long count;
  private boolean ended;
  private boolean broken;

  Reply(ClientStream stream, String id, Datum datum, ReentrantLock lock) {
    this.stream = stream;
    this.id = id;
    this.datum = datum;
    this.lock = lock;
    this.changed = lock.newCondition();
  }

  ReplyListener listener() {
    return new ReplyListener() {
      @Override
      public void message(Message message) {
        update(() -> {
          arrived.add(message);
          count++;
        });
      }

      @Override
      public void ended() {
        update(() -> ended = true);
      }

      @Override
      public void failed(RuntimeException reason) {
        update(() -> broken = true);
      }
    };
  }

  private void update(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** {@return the id under which the datum was sent} */
  public String id() {
    return id;
  }

  /** {@return the datum} */
  public Datum datum() {
    return datum;
  }

  /** {@return the stream on which it was sent} */
  public ClientStream stream() {
    return stream;
  }

  /**
   * Takes the next message; waits for it if it has not arrived. An interruption ends the wait and
   * loses nothing.
   *
   * @param limit how long to wait
   * @return the message, with its marks if any
   * @throws InterruptedException if the thread was interrupted
   * @throws NoSuchElementException if the EOT has arrived, and all messages are taken
   * @throws WaitTimeoutException if neither a message nor the EOT came in time
   * @throws StreamBrokenException if the stream has ended without either
   * @throws ProtocolFaultException if the server has broken the protocol
   */
  public Message next(Duration limit) throws InterruptedException {
    lock.lock();
    try {
      if (!arrives(Deadline.in(limit), "the next message")) {
        throw new NoSuchElementException(
            "datum "
                + ClientStream.quoted(id)
                + " has no next message: its EOT came after "
                + count
                + " message(s), and all of them are taken");
      }
      return arrived.remove();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until there is a message to take, or the EOT says that there will be none. An
   * interruption ends the wait.
   *
   * @param limit how long to wait
   * @return true if {@link #next} has a message, false if the datum has ended
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutException if neither a message nor the EOT came in time
   * @throws StreamBrokenException if the stream has ended without either
   * @throws ProtocolFaultException if the server has broken the protocol
   */
  public boolean hasNext(Duration limit) throws InterruptedException {
    lock.lock();
    try {
      return arrives(Deadline.in(limit), "the next message or the EOT");
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a message or the EOT. The caller holds the lock. */
  private boolean arrives(Deadline deadline, String awaited) throws InterruptedException {
    await(deadline, () -> !arrived.isEmpty() || ended, awaited);
    return !arrived.isEmpty();
  }

  /**
   * Waits for the EOT and takes all messages that are left. An interruption ends the wait and loses
   * nothing; neither does a failure, after which {@link #takeArrived()} has what came.
   *
   * @param limit how long to wait
   * @return the messages that nobody has taken, all of them if {@link #next} wasn't used
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutException if the EOT did not come in time
   * @throws StreamBrokenException if the stream has ended without the EOT
   * @throws ProtocolFaultException if the server has broken the protocol
   */
  public Messages await(Duration limit) throws InterruptedException {
    Deadline deadline = Deadline.in(limit);
    lock.lock();
    try {
      await(deadline, () -> ended, "the EOT");
      return takeArrived();
    } finally {
      lock.unlock();
    }
  }

  private void await(Deadline deadline, BooleanSupplier comeAbout, String awaited)
      throws InterruptedException {
    boolean inTime = deadline.await(changed, () -> comeAbout.getAsBoolean() || broken);
    if (comeAbout.getAsBoolean()) {
      return;
    }
    String what = awaited + " of datum " + ClientStream.quoted(id) + " (" + count + " arrived)";
    if (!inTime) {
      throw new WaitTimeoutException(
          "waited " + deadline.limit() + " for " + what + " " + datum + stream.situation());
    }
    throw stream.endedBefore(what);
  }

  /** {@return the messages that have arrived and that nobody has taken; does not wait} */
  public Messages takeArrived() {
    lock.lock();
    try {
      List<Message> taken = new ArrayList<>(arrived);
      arrived.clear();
      return Messages.copyOf(taken);
    } finally {
      lock.unlock();
    }
  }

  /** {@return how many messages have arrived so far, taken or not} */
  public long arrived() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** {@return whether the EOT has arrived} */
  public boolean hasEnded() {
    lock.lock();
    try {
      return ended;
    } finally {
      lock.unlock();
    }
  }

  /** {@return the id, and what has arrived} */
  @Override
  public String toString() {
    lock.lock();
    try {
      String end = ended ? ", EOT" : broken ? ", broken" : "";
      return "Reply[id=" + ClientStream.quoted(id) + ", " + count + " message(s)" + end + "]";
    } finally {
      lock.unlock();
    }
  }
}
