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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Answers a datum that holds the parameters of a query, separated by commas, with the rows that a
 * database finds, each as it is fetched; the columns are separated by tabs. JDBC blocks, and the
 * handler waits for it: a datum whose query takes a minute holds up no other one.
 *
 * <p>{@code SQL_URL} and {@code SQL_QUERY} say what to ask. By default that is a table {@code
 * reading} of this process's own, in memory, and the parameters are a room and the lowest
 * temperature of interest. The parameters only ever go into a {@link PreparedStatement}, since a
 * datum comes from outside. Where the database says that the fault is theirs (such as a word where
 * a number belongs), the datum is answered with what it says, with the tag {@value #ERROR}; any
 * other error is thrown. They are sent as text, which is not every database's idea of a number:
 * PostgreSQL wants {@code stringtype=unspecified} in the URL, or a cast in the query. The URL is
 * also the place for a limit to the wait for a database that has fallen silent (there: {@code
 * socketTimeout}): neither the server nor the platform has one.
 *
 * <p>A datum takes a connection of its own here, so {@code main} limits how many are in work at
 * once.
 */
public final class SqlRows implements MapStreamer {

  static final String ERROR = "error";

  // H2 fetches all rows before the first is read, unless told to be lazy.
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

  /** Where connections come from; that of a pool is returned to it when it is closed. */
  interface Connections {
    Connection open() throws SQLException;
  }

  private final Connections connections;
  private final String query;

  /** Makes a function for a query with any number of parameters. */
  SqlRows(Connections connections, String query) {
    this.connections = connections;
    this.query = query;
  }

  /** Serves this function until the process is told to end. */
  public static void main(String[] args) throws Exception {
    String url = System.getenv("SQL_URL");
    Connections connections = url == null ? ownTable() : () -> DriverManager.getConnection(url);
    String query = System.getenv().getOrDefault("SQL_QUERY", OWN_QUERY);
    MapStreamServer.builder(new SqlRows(connections, query))
        .maxConcurrency(CONNECTIONS)
        .build()
        .run();
  }

  /** Makes the table that {@code main} asks unless told otherwise. */
  static Connections ownTable() throws SQLException {
    try (Connection connection = DriverManager.getConnection(OWN_DATABASE);
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE IF EXISTS reading");
      statement.execute(OWN_TABLE);
    }
    return () -> DriverManager.getConnection(OWN_DATABASE);
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    try (Connection connection = connections.open();
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

  /** Prepares the query so that databases send rows in parts where they can. */
  private PreparedStatement prepare(Connection connection) throws SQLException {
    // Else PostgreSQL sends all rows at once, whatever the fetch size.
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
          "the query takes %d parameters, and there are %d".formatted(expected, parameters.length),
          BAD_DATA_STATES + "000");
    }
    for (int i = 0; i < expected; i++) {
      statement.setString(i + 1, parameters[i]);
    }
  }

  /**
   * Emits the rows from a thread of its own, while the handler's waits for it. That is for the
   * cancel: drivers take no notice of an interrupt while the database works, and some break the
   * connection by it, so somebody has to be there who does notice and cancels the statement. A
   * platform thread, because a database in the same process computes on it: a virtual one could
   * keep the only carrier from the handler.
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
      // Again and again, for a cancel that comes before the query has started is without effect.
      do {
        statement.cancel();
      } while (!emitter.join(BETWEEN_CANCELS));
      throw e;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
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
