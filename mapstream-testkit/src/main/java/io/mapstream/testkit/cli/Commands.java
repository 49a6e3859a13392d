package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.server.MapStreamServer;
import io.mapstream.testkit.StreamBrokenException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/** The top-level command, which picocli parses and runs. */
@Command(
    name = "mapstream",
    description = "Drives, loads and checks a running map-stream function.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Commands.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:success",
      "1:the run or a check failed",
      "2:invalid options or unreadable input",
      "130:interrupted by SIGINT (Ctrl-C)",
      "143:interrupted by SIGTERM"
    })
final class Commands implements Runnable, IVersionProvider {

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Shows the stack traces of errors, including those of the function.")
  private boolean verbose;

  private final AtomicBoolean stopping;

  Commands() {
    this(new AtomicBoolean()); // for the version
  }

  private Commands(AtomicBoolean stopping) {
    this.stopping = stopping;
  }

  static int run(Terminal terminal, AtomicBoolean stopping, String... args) {
    Commands main = new Commands(stopping);
    CommandLine commands = new CommandLine(main);
    commands.addSubcommand(new DriveCommand(terminal));
    commands.addSubcommand(new LoadCommand(terminal));
    commands.addSubcommand(new CheckCommand(terminal));
    commands.registerConverter(Duration.class, Units::duration);
    commands.registerConverter(Instant.class, Units::instant);
    commands.setOut(new PrintWriter(terminal.out(), true, UTF_8));
    commands.setErr(new PrintWriter(terminal.err(), true, UTF_8));
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setParameterExceptionHandler(Commands::refuse);
    commands.setExecutionStrategy(parsed -> {
      try {
        return new CommandLine.RunLast().execute(parsed);
      } catch (NoClassDefFoundError e) {
        throw e; // Main reports it
      } catch (Error e) { // picocli handles only exceptions
        return main.fail(terminal, e, parsed);
      }
    });
    commands.setExecutionExceptionHandler((e, command, parsed) -> main.fail(terminal, e, parsed));
    return commands.execute(args);
  }

  /** Runs if no command was given. */
  @Override
  public void run() {
    throw new UsageFault("no command was given; use drive, load or check (see --help)");
  }

  /** Returns the version of the project, which is also in the server info of its servers. */
  @Override
  public String[] getVersion() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = MapStreamServer.class.getResourceAsStream("version.properties")) {
      if (in != null) {
        properties.load(in);
      }
    }
    return new String[] {"mapstream " + properties.getProperty("version", "of unknown version")};
  }

  private static int refuse(ParameterException e, String[] args) {
    String name = e.getCommandLine().getCommandSpec().qualifiedName();
    String reason = oneLine(String.valueOf(e.getMessage()));
    e.getCommandLine().getErr().println(name + ": " + reason + " (see " + name + " --help)");
    return Main.USAGE;
  }

  private int fail(Terminal terminal, Throwable e, ParseResult parsed) {
    ParseResult innermost = parsed;
    while (innermost.hasSubcommand()) {
      innermost = innermost.subcommand();
    }
    String name = innermost.commandSpec().qualifiedName();
    // A signal from the terminal also reaches a function of --class, which may end first.
    if (e instanceof InterruptedException || stopping.get()) {
      terminal.err().println(name + ": interrupted");
      return Main.INTERRUPTED;
    }
    terminal.err().println(name + ": " + oneLine(describe(e)));
    if (verbose) {
      if (e instanceof StreamBrokenException broken && !broken.status().debugInfo().isEmpty()) {
        terminal.err().println("the function reported:\n" + broken.status().debugInfo());
      }
      e.printStackTrace(terminal.err());
    }
    return e instanceof UsageFault ? Main.USAGE : Main.FAILED;
  }

  private static String describe(Throwable e) {
    String message = e.getMessage();
    // The message often has only the file, or for instance "Java heap space".
    boolean isIncomplete = e instanceof IOException || e instanceof VirtualMachineError;
    return message == null || isIncomplete ? e.toString() : message;
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
