// Runs after each of the two builds; the log contains both.

def tests = new File(basedir, "target/surefire-reports/com.example.WordsTest.txt").text
assert tests.contains("Tests run: 2, Failures: 0, Errors: 0, Skipped: 0")

def log = new File(basedir, "build.log").text
def expected = new File(basedir, "src/nulls/kotlin/Nulls.kt").readLines().findIndexValues { it.endsWith("// null") }*.plus(1)
def refused = (log =~ /ERROR.*Nulls\.kt:\D*(\d+)/).collect { it[1] as int }.unique().sort()
assert expected.size() == 5
assert refused.empty || refused == expected

// The POM disables the compiler's daemon: none has started since this Maven did.
def repository = new File(basedir, "../../it-repo").canonicalPath
def began = ProcessHandle.current().info().startInstant().get()
def left = ProcessHandle.allProcesses().toList()*.info().findAll {
  it.commandLine().orElse("").contains(repository + "/org/jetbrains/kotlin/") && it.startInstant().orElse(began).isAfter(began)
}
assert left.empty
