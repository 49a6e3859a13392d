import java.util.zip.ZipFile

// Runs the jar as a process.

def function = new GroovyClassLoader(getClass().classLoader).parseClass(new File(basedir, "../../../src/Function.groovy"))

function.newInstance(basedir).withCloseable {
  it.start("-jar", "target/words-1.jar")
  assert it.drive("a,b") == ["a", "b"]
  it.terminate()
  assert it.exitCode() == 0: it.printed()
  assert it.printed().contains("(epoll)") && !it.printed().contains("WARN"): it.printed()
}
