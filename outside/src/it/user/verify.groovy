// What comes with mapstream-server into the image of a user who takes nothing else.

def jars = new File(basedir, "target/lib").listFiles().sort { it.name }
def size = jars.sum { it.length() } / 1_000_000.0
println String.format(Locale.ROOT, "mapstream-server brings %d jars, %.1f MB:", jars.length, size)
jars.each { println String.format(Locale.ROOT, "  %9d %s", it.length(), it.name) }

assert new File(basedir, "target/surefire-reports/com.example.WordsTest.txt").text.contains("Tests run: 2, Failures: 0, Errors: 0, Skipped: 0")

assert jars.any { it.name.startsWith("io.mapstream.mapstream-server-") }
["io.mapstream.mapstream-testkit", "org.junit", "org.opentest4j", "info.picocli", "org.hdrhistogram"].each { unwanted ->
  assert !jars.any { it.name.startsWith(unwanted) }
}
// More is a decision to be taken, not to be found later: then change the numbers.
assert jars.length <= 25
assert size <= 25
