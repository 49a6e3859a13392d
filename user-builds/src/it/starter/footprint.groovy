// What comes with mapstream-server into the image of a user who takes nothing else, and what the README says of it.

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
// More is a decision to be taken, not to be found later: then change the numbers.
assert jars.length <= 25
assert megabytes(jars) <= 25

// A number in the README holds as far as it is given: 20 for anything from 19 to 21, 0.03 for 0.02 to 0.04.
def told = { BigDecimal actual, String text -> (actual - new BigDecimal(text)).abs() <= BigDecimal.ONE.movePointLeft(new BigDecimal(text).scale()) }
assert told(20.1, "20") && !told(21.2, "20") && told(0.03, "0.03") && !told(0.06, "0.03")

def readme = new File(basedir, "../../../../README.md").readLines()
["mapstream-api": api, "mapstream-server": jars.toList()].each { artifact, files ->
  def row = readme.find { it.startsWith("| `" + artifact + "` |") }
  def actual = String.format(Locale.ROOT, "%d jars and %.2f MB", files.size(), megabytes(files))
  assert row != null: "README.md has no row for " + artifact + " in its table of class paths; it is " + actual
  def cells = row.split(/\|/)*.trim()
  assert cells[2] == files.size().toString() && told(megabytes(files), cells[3]): "README.md: the class path of " + artifact + " is now " + actual + "; correct its row: " + row
}
