package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import io.mapstream.testkit.HandlerFailedException;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.Reply;
import io.mapstream.testkit.TestDatum;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SqlRowsTest {

  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final String DATABASE = "jdbc:h2:mem:SqlRowsTest;LAZY_QUERY_EXECUTION=1";
  private static final String ENDLESS = "SELECT fetched(x) FROM SYSTEM_RANGE(1, 1e15) WHERE x > ?";

  /** Called by the database for each row; the database requires a public class. */
  public static final class Probe {

    private static final AtomicInteger rows = new AtomicInteger();
    private static volatile CountDownLatch queryRuns = new CountDownLatch(1);

    private Probe() {}

    /** The SQL function FETCHED. */
    public static long fetched(long row) {
      rows.incrementAndGet();
      queryRuns.countDown();
      return row;
    }
  }

  private final Queue<Connection> opened = new ConcurrentLinkedQueue<>();
  private Connection keptOpen;

  @BeforeEach
  void createFunctions() throws SQLException {
    Probe.rows.set(0);
    Probe.queryRuns = new CountDownLatch(1);
    keptOpen = DriverManager.getConnection(DATABASE);
    try (Statement statement = keptOpen.createStatement()) {
      // Only DETERMINISTIC functions let a query be executed lazily.
      statement.execute(
          "CREATE ALIAS fetched DETERMINISTIC FOR '" + Probe.class.getName() + ".fetched'");
    }
  }

  @AfterEach
  void leavesNoConnectionOpen() throws SQLException {
    for (Connection connection : opened) {
      assertTrue(connection.isClosed());
    }
    // The database is dropped with its last connection.
    keptOpen.close();
  }

  private SqlRows asking(String query) {
    return new SqlRows(this::connect, query);
  }

  private Connection connect() throws SQLException {
    Connection connection = DriverManager.getConnection(DATABASE);
    opened.add(connection);
    return connection;
  }

  @Test
  void aRowIsAMessageOfItsColumns() throws Exception {
    try (var harness = MapStreamHarness.of(new SqlRows(SqlRows.ownTable(), SqlRows.OWN_QUERY))) {
      assertEquals(
          List.of("107\tkitchen\t24.9", "257\tkitchen\t24.9"),
          harness.process("kitchen, 24.9\n").texts().subList(0, 2));
      assertEquals(Messages.empty(), harness.process("garage, 0"));
    }
  }

  @Test
  void nullIsShownAsNull() {
    try (var harness = MapStreamHarness.of(asking("SELECT ?, NULL"))) {
      assertEquals(List.of("a\tnull"), harness.process("a").texts());
    }
  }

  @Test
  void rowsAreEmittedAsTheyAreFetched() {
    try (var harness = MapStreamHarness.builder(asking(ENDLESS)).bound(1).build()) {
      Reply rows = harness.send("0");

      rows.awaitBlockedEmit();
      assertEquals(2, Probe.rows.get()); // one to read, and one in emit

      assertEquals("1", rows.next().text());
      rows.awaitBlockedEmit();
      assertEquals(3, Probe.rows.get());

      rows.cancel();
      assertCancelled(rows);
    }
  }

  @Test
  void cancelEndsAQueryThatHasNoRowYet() throws Exception {
    var sum = asking("SELECT SUM(fetched(x)) FROM SYSTEM_RANGE(1, 1e15) WHERE x > ?");
    try (var harness = MapStreamHarness.of(sum)) {
      Reply rows = harness.send("0");
      awaitQuery();

      rows.cancel();

      assertInstanceOf(InterruptedException.class, rows.failure().orElseThrow());
      assertTrue(opened.element().isClosed());
    }
  }

  /** The driver's first cancel fails. */
  @Test
  void aCancelThatFailsIsRepeated() throws Exception {
    var cancels = new AtomicInteger();
    var sum =
        new SqlRows(
            () -> failingAtFirst("cancel", cancels, Connection.class, connect()),
            "SELECT SUM(fetched(x)) FROM SYSTEM_RANGE(1, 1e15) WHERE x > ?");
    try (var harness = MapStreamHarness.of(sum)) {
      Reply rows = harness.send("0");
      awaitQuery();

      rows.cancel();

      assertInstanceOf(InterruptedException.class, rows.failure().orElseThrow());
      assertTrue(cancels.get() > 1);
      assertTrue(opened.element().isClosed());
    }
  }

  /** Wraps a connection and its statements. The first call of a method throws. */
  private static <T> T failingAtFirst(
      String method, AtomicInteger calls, Class<T> type, Object wrapped) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, called, arguments) -> {
              if (called.getName().equals(method) && calls.getAndIncrement() == 0) {
                throw new SQLException("the first " + method + " fails");
              }
              Object result = called.invoke(wrapped, arguments);
              return result instanceof PreparedStatement
                  ? failingAtFirst(method, calls, PreparedStatement.class, result)
                  : result;
            }));
  }

  @Test
  void anErrorOfTheEmittingThreadIsThrownAsItIs() throws Exception {
    var error = new OutOfMemoryError("no memory for a row");
    MessageSink full =
        message -> {
          throw error;
        };

    assertSame(
        error,
        assertThrows(
            OutOfMemoryError.class,
            () -> asking("SELECT ?").handle(List.of(), TestDatum.of("a"), full)));
  }

  @Test
  void aClientThatDisconnectsEndsTheQueryInTheServer() throws Exception {
    try (var server = MapStreamTestServer.start(asking(ENDLESS))) {
      var reply = server.client().send(TestDatum.of("0"));
      assertEquals("1", reply.next(LIMIT).text());
    }
    // Close waited for the handler. After each test, all connections must be closed.
    assertEquals(1, opened.size());
  }

  @Test
  void parametersAreNeverSql() {
    try (var harness = MapStreamHarness.of(asking("SELECT ?"))) {
      assertEquals(List.of("'; DROP TABLE x; --"), harness.process("'; DROP TABLE x; --").texts());
    }
  }

  @Test
  void wrongParametersAreAnsweredWithAnError() throws Exception {
    try (var harness = MapStreamHarness.of(new SqlRows(SqlRows.ownTable(), SqlRows.OWN_QUERY))) {
      assertEquals(
          List.of(
              Message.of("\"cellar\": the query takes 2 parameters but was given 1")
                  .withTags(SqlRows.ERROR)),
          harness.process("cellar"));

      Message wrongType = harness.process("cellar, warm").getFirst();
      assertEquals(List.of(SqlRows.ERROR), wrongType.tags());
      assertTrue(
          wrongType.text().startsWith("\"cellar, warm\": Data conversion error"), wrongType.text());
    }
  }

  @Test
  void aDatabaseErrorIsThrown() {
    try (var harness = MapStreamHarness.of(asking("SELECT * FROM absent WHERE id = ?"))) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("1"));

      SQLException cause = assertInstanceOf(SQLException.class, failed.getCause());
      assertTrue(cause.getMessage().contains("ABSENT"), cause.getMessage());
    }
  }

  private static void awaitQuery() throws InterruptedException {
    assertTrue(
        Probe.queryRuns.await(LIMIT.toSeconds(), TimeUnit.SECONDS), "the query has to start");
  }

  /** The scheduler decides whether emit is refused first or the thread is interrupted first. */
  private static void assertCancelled(Reply rows) {
    Throwable failure = rows.failure().orElseThrow();
    assertTrue(
        failure instanceof InterruptedException || failure instanceof SinkClosedException,
        failure.toString());
  }
}
