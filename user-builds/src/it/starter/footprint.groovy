// Checks which jars mapstream-server adds to an image that uses nothing else, and the README's figures for them.

def jars = new File(basedir, "target/server-lib").listFiles().sort { it.name }
def megabytes = { files -> files.sum { it.length() } / 1_000_000 }
println String.format(Locale.ROOT, "mapstream-server brings %d jars, %.2f MB:", jars.length, megabytes(jars))
jars.each { println String.format(Locale.ROOT, "  %9d %s", it.length(), it.name) }

def api = jars.findAll { it.name.startsWith("io.mapstream.mapstream-api-") }
assert api.size() == 1
assert jars.any { it.name.startsWith("io.mapstream.mapstream-server-") }
["io.mapstream.mapstream-testkit", "org.junit", "org.opentest4j", "info.picocli", "org.hdrhistogram", "io.micrometer", "io.prometheus"].each { unwanted ->
  assert !jars.any { it.name.startsWith(unwanted) }
}
// Change these limits only after a deliberate decision.
assert jars.length <= 25
assert megabytes(jars) <= 25

// A number in the README is correct to its last digit: 20 stands for 19 to 21, 0.03 for 0.02 to 0.04.
def matches = { BigDecimal actual, String text -> (actual - new BigDecimal(text)).abs() <= BigDecimal.ONE.movePointLeft(new BigDecimal(text).scale()) }
assert matches(20.1, "20") && !matches(21.2, "20") && matches(0.03, "0.03") && !matches(0.06, "0.03")

def readme = new File(basedir, "../../../../README.md").readLines()
["mapstream-api": api, "mapstream-server": jars.toList()].each { artifact, files ->
  def row = readme.find { it.startsWith("| `" + artifact + "` |") }
  def actual = String.format(Locale.ROOT, "%d jars and %.2f MB", files.size(), megabytes(files))
  assert row != null: "README.md has no row for " + artifact + " in its table of class paths; it is " + actual
  def cells = row.split(/\|/)*.trim()
  assert cells[2] == files.size().toString() && matches(megabytes(files), cells[3]): "README.md: the class path of " + artifact + " is now " + actual + "; correct its row: " + row
}
