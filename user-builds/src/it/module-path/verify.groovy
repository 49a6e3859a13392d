// Runs the function as a process, from the module path.

def function = new GroovyClassLoader(getClass().classLoader).parseClass(new File(basedir, "../../../src/Function.groovy"))

function.newInstance(basedir).withCloseable {
  it.start("--enable-native-access=io.grpc.netty.shaded", "-p", "target/words-1.jar:target/function-lib", "--add-modules", "ALL-MODULE-PATH",
      "-m", "com.example.words/com.example.Words")
  assert it.drive("a,b") == ["a", "b"]
  it.terminate()
  assert it.exitCode() == 0: it.printed()
  assert it.printed().contains("(epoll)") && !it.printed().contains("WARN"): it.printed()
}
