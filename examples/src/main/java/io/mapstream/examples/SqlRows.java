package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Answers a datum that holds the parameters of a query, separated by commas, with the rows that the
 * query returns, each as it is fetched; the columns are separated by tabs. JDBC blocks, and the
 * handler waits for it: a query that takes a minute does not delay other datums.
 *
 * <p>{@code SQL_URL} and {@code SQL_QUERY} set the database and the query. By default, this is an
 * in-memory table {@code reading} in this process, and the parameters are a room and a minimum
 * temperature. A datum is untrusted input, so its parameters are only passed to a {@link
 * PreparedStatement}. If the database reports invalid parameters (such as a word instead of a
 * number), the datum is answered with the error message and the tag {@value #ERROR}; any other
 * error is thrown. Parameters are sent as text, which some databases do not accept for a number:
 * PostgreSQL needs {@code stringtype=unspecified} in the URL, or a cast in the query. Also set a
 * time limit for a silent database in the URL ({@code socketTimeout} for PostgreSQL): neither the
 * server nor the platform has one.
 *
 * <p>Each datum uses its own connection, so {@code main} limits how many are in work at once.
 */
public final class SqlRows implements MapStreamer {

  static final String ERROR = "error";

  // Without LAZY_QUERY_EXECUTION, H2 fetches all rows before the first is read.
  private static final String OWN_DATABASE =
      "jdbc:h2:mem:readings;DB_CLOSE_DELAY=-1;LAZY_QUERY_EXECUTION=1";
  static final String OWN_QUERY =
      "SELECT id, room, celsius FROM reading WHERE room = ? AND celsius >= ?";
  private static final String OWN_TABLE =
      """
      CREATE TABLE reading AS
      SELECT x AS id,
             CASE MOD(x, 3) WHEN 0 THEN 'attic' WHEN 1 THEN 'cellar' ELSE 'kitchen' END AS room,
             CAST(10 + MOD(x * 7, 150) / 10.0 AS DECIMAL(4, 1)) AS celsius
      FROM SYSTEM_RANGE(1, 1000)\
      """;

  private static final int CONNECTIONS = 20;
  private static final int FETCH_SIZE = 100;
  private static final String BAD_DATA_STATES = "22";
  private static final Duration BETWEEN_CANCELS = Duration.ofMillis(50);

  private final Callable<Connection> connections;
  private final String query;

  /** Creates a function that closes each connection, which returns a pool's one to the pool. */
  SqlRows(Callable<Connection> connections, String query) {
    this.connections = connections;
    this.query = query;
  }

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    String url = System.getenv("SQL_URL");
    Callable<Connection> connections =
        url == null ? ownTable() : () -> DriverManager.getConnection(url);
    String query = System.getenv().getOrDefault("SQL_QUERY", OWN_QUERY);
    MapStreamServer.builder(new SqlRows(connections, query))
        .maxConcurrency(CONNECTIONS)
        .build()
        .run();
  }

  /** Creates the table that {@code main} queries by default. */
  static Callable<Connection> ownTable() throws SQLException {
    try (Connection connection = DriverManager.getConnection(OWN_DATABASE);
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS reading");
      statement.execute(OWN_TABLE);
    }
    return () -> DriverManager.getConnection(OWN_DATABASE);
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    try (Connection connection = connections.call();
        PreparedStatement statement = prepare(connection)) {
      setParameters(statement, datum);
      emitRows(statement, sink);
    } catch (SQLException e) {
      String state = e.getSQLState();
      if (state == null || !state.startsWith(BAD_DATA_STATES)) {
        throw e;
      }
      String reason = "\"%s\": %s".formatted(datum.text().strip(), e.getMessage());
      sink.emit(Message.of(reason).withTags(ERROR));
    }
  }

  /** Prepares the query so that databases that can do so send rows in batches. */
  private PreparedStatement prepare(Connection connection) throws SQLException {
    // Otherwise PostgreSQL sends all rows at once, whatever the fetch size.
    connection.setAutoCommit(false);
    connection.setReadOnly(true);
    PreparedStatement statement = connection.prepareStatement(query);
    statement.setFetchSize(FETCH_SIZE);
    return statement;
  }

  private static void setParameters(PreparedStatement statement, Datum datum) throws SQLException {
    String[] parameters = datum.text().strip().split("\\s*,\\s*", -1);
    int expected = statement.getParameterMetaData().getParameterCount();
    if (parameters.length != expected) {
      throw new SQLException(
          "the query takes %d parameters but was given %d".formatted(expected, parameters.length),
          BAD_DATA_STATES + "000");
    }
    for (int i = 0; i < expected; i++) {
      statement.setString(i + 1, parameters[i]);
    }
  }

  /**
   * Emits the rows in a separate thread, while the handler's thread waits and can cancel the
   * statement: drivers ignore an interrupt while the database works, and some break the connection
   * because of it. The separate thread is a platform thread, because a database in the same process
   * computes on it: a virtual thread could occupy the only carrier that the handler needs.
   */
  private static void emitRows(PreparedStatement statement, MessageSink sink) throws Exception {
    FutureTask<Void> rows =
        new FutureTask<>(() -> {
          emitEachRow(statement, sink);
          return null;
        });
    Thread emitter = Thread.ofPlatform().daemon().name("sql-rows").start(rows);
    try {
      rows.get();
    } catch (InterruptedException e) {
      // Repeated, since a cancel has no effect before the query has started.
      do {
        try {
          statement.cancel();
        } catch (SQLException failed) {
          // Tried again. The thread also ends at its next row, since emit then throws.
        }
      } while (!emitter.join(BETWEEN_CANCELS));
      throw e;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) { // concerns the process
        throw error;
      }
      throw (Exception) e.getCause();
    }
  }

  private static void emitEachRow(PreparedStatement statement, MessageSink sink)
      throws SQLException {
    try (ResultSet row = statement.executeQuery()) {
      int columns = row.getMetaData().getColumnCount();
      while (row.next()) {
        List<String> values = new ArrayList<>(columns);
        for (int column = 1; column <= columns; column++) {
          values.add(row.getString(column));
        }
        sink.emit(String.join("\t", values));
      }
    }
  }
}
