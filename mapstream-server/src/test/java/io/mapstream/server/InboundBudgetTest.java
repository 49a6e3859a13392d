package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Metadata;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which stream is notified that requests that are not yet admitted take too much memory. */
class InboundBudgetTest {

  private final InboundBudget budget = new InboundBudget(100);
  private final List<String> notified = new ArrayList<>();
  private final InboundBudget.Held one = held("one");
  private final InboundBudget.Held two = held("two");

  private InboundBudget.Held held(String name) {
    var held =
        (InboundBudget.Held) budget.newServerStreamTracer("map.v1.Map/MapFn", new Metadata());
    held.onExceeded(() -> notified.add(name));
    return held;
  }

  @Test
  void anOnlyStreamMayHoldAMessageOfAnySize() {
    one.inboundWireSize(60);
    one.inboundWireSize(60);
    one.inboundMessageRead(0, 120, 120);
    one.datumWaits(1000);

    assertEquals(List.of(), notified);
  }

  @Test
  void theStreamThatExceedsTheLimitIsNotifiedOnce() {
    one.inboundWireSize(60);
    two.inboundWireSize(40);
    assertEquals(List.of(), notified);

    two.inboundWireSize(1);
    two.inboundWireSize(1);
    assertEquals(List.of("two"), notified);
  }

  @Test
  void whatIsCompleteOrClosedNoLongerCounts() {
    one.inboundWireSize(60);
    one.inboundMessageRead(0, 60, 60);
    two.inboundWireSize(100);
    two.streamClosed(Status.OK);
    two.streamClosed(Status.OK);
    two.inboundWireSize(100);
    one.inboundWireSize(50);
    held("three").inboundWireSize(50);

    assertEquals(List.of(), notified);
  }

  @Test
  void aDatumThatWaitsForCapacityCountsUntilItIsAdmitted() {
    one.datumWaits(60);
    two.inboundWireSize(41);
    assertEquals(List.of("two"), notified);

    one.datumWaits(0);
    held("three").inboundWireSize(59);
    assertEquals(List.of("two"), notified);
    one.datumWaits(1);
    assertEquals(List.of("two", "one"), notified);
  }
}
