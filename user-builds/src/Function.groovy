import groovy.xml.XmlSlurper
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** A function from a user's build, as a process with a temporary socket. */
class Function implements Closeable {

  private static final long LIMIT_SECONDS = 60

  /** The test kit and its commands, as the starter has them. */
  private final File tools
  private final File basedir
  private final File java
  private final Path folder = Files.createTempDirectory(Path.of("/tmp"), "mapstream")
  private final lines = new LinkedBlockingQueue<String>()
  private final printed = new StringBuffer()
  private Process process
  private Thread reader

  /** Uses the JDK that has run the tests of the build in {@code basedir}. */
  Function(File basedir) {
    this.basedir = basedir
    tools = new File(basedir, "../starter/target/lib")
    def report = new File(basedir, "target/surefire-reports").listFiles().find { it.name.startsWith("TEST-") }
    def javaHome = new XmlSlurper(false, false).parse(report).properties.property.find { it.@name == "java.home" }.@value.text()
    java = new File(javaHome, "bin/java")
  }

  /** Starts {@code java} with these arguments. */
  void start(String... arguments) {
    def builder = new ProcessBuilder([java.path, *arguments]).directory(basedir).redirectErrorStream(true)
    builder.environment().putAll([MAPSTREAM_SOCKET_PATH: folder.resolve("s").toString(), MAPSTREAM_SERVER_INFO_FILE: folder.resolve("info").toString()])
    process = builder.start()
    def output = process.inputStream
    reader = Thread.startDaemon { output.eachLine { printed << it << "\n"; lines.add(it) } }
  }

  /** Starts the command {@code drive} with a line of input. */
  Process driving(String line) {
    def drive = new ProcessBuilder(java.path, "--enable-native-access=ALL-UNNAMED", "-cp", tools.path + "/*", "io.mapstream.testkit.cli.Main", "drive",
        "--quiet", "--output", "value", "--timeout", LIMIT_SECONDS + "s", "--socket", folder.resolve("s").toString(),
        "--server-info", folder.resolve("info").toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    drive.outputStream.withWriter { it.println(line) }
    drive
  }

  /** Returns the results for a line of input. */
  List<String> drive(String line) {
    def drive = driving(line)
    def results = drive.inputStream.readLines()
    assert drive.waitFor() == 0: "drive failed, and the function printed:\n" + printed
    results
  }

  /** Returns what a command of the runnable jar prints for this input. */
  List<String> command(File jar, String line, String... arguments) {
    def builder = new ProcessBuilder([java.path, "-jar", jar.path, *arguments, "--timeout", LIMIT_SECONDS + "s", "--socket",
        folder.resolve("s").toString()]).redirectErrorStream(true)
    def command = builder.start()
    command.outputStream.withWriter { it.println(line) }
    def output = command.inputStream.readLines()
    assert command.waitFor() == 0: output.join("\n") + "\n" + printed
    output
  }

  /** Waits until the function prints a line that matches the pattern. */
  String await(String pattern) {
    def end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)
    while (true) {
      def line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS)
      assert line != null: "no line with " + pattern + " in:\n" + printed
      if (line =~ pattern) {
        return line
      }
    }
  }

  /** Sends a SIGTERM. */
  void terminate() {
    process.toHandle().destroy()
  }

  /** Waits for the end of the process. */
  int exitCode() {
    assert process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS): "still runs: " + printed
    reader.join(LIMIT_SECONDS * 1000)
    process.exitValue()
  }

  String printed() {
    printed
  }

  @Override
  void close() {
    process?.destroyForcibly()
    folder.toFile().deleteDir()
  }
}
