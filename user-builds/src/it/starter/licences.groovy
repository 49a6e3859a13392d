import groovy.json.JsonSlurper

// Checks the dependencies' licences: docs/third-party.md lists them, and the published SBOMs prove them if the build is online and
// makes SBOMs. Licences other than these are refused, and so are dependencies that the page does not name.

def allowed = ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"]
// JUnit's licence is allowed only because JUnit is optional: users of the test kit add it themselves.
def allowedIfOptional = allowed + "EPL-2.0"

// With several licences, one allowed licence is enough; without a licence there is no right to use it.
def refused = { rows -> rows.findAll { row -> !row.licences.any { it in (row.everywhere ? allowed : allowedIfOptional) } } }

assert refused([[licences: ["GPL-3.0-only"], everywhere: true], [licences: ["GPL-3.0-only"], everywhere: false]]).size() == 2
assert refused([[licences: ["EPL-2.0"], everywhere: true]]).size() == 1 && refused([[licences: ["EPL-2.0"], everywhere: false]]).empty
assert refused([[licences: [], everywhere: false], [licences: ["Something of our own"], everywhere: true]]).size() == 2
assert refused([[licences: ["GPL-2.0-only", "MIT"], everywhere: true]]).empty

def root = new File(basedir, "../../../..")
def lines = new File(root, "docs/third-party.md").readLines().findAll { it.startsWith("| `") }
def page = lines.collect { line ->
  def cells = line.split(/\|/)*.trim()
  [name: cells[1].replace("`", ""), licences: cells[2].split(" or ").toList(), everywhere: cells[3] == "every function"]
}
assert refused(page).empty: "docs/third-party.md has licences that are not allowed: " + refused(page)

// The class path of a user who uses only the server.
def jars = new File(basedir, "target/server-lib").list().findAll { !it.startsWith("io.mapstream.") }
def jarsOf = { name -> jars.findAll { it.matches(java.util.regex.Pattern.quote(name.replace(":", ".") + "-") + /\d.*\.jar/) } }
def unnamed = jars - page.findAll { it.everywhere }.collectMany { jarsOf(it.name) }
assert unnamed.empty: "on the class path of every function, but not in docs/third-party.md: " + unnamed
def gone = page.findAll { it.everywhere && jarsOf(it.name).empty }*.name
assert gone.empty: "docs/third-party.md says that every function has " + gone

if (build != "offline=true") {
  def version = new File(basedir, "../../it-repo/io/mapstream/mapstream-parent").listFiles().find { it.directory }.name
  def modules = ["mapstream-proto": "proto", "mapstream-api": "mapstream-api", "mapstream-server": "mapstream-server", "mapstream-testkit": "mapstream-testkit"]
  def components = modules.collectMany { artifact, module ->
    def sbom = new File(root, module + "/target/" + artifact + "-" + version + "-cyclonedx.json")
    (new JsonSlurper().parse(sbom).components ?: []).findAll { it.group != "io.mapstream" }
  }.unique { it.purl }
  def rows = components.collect {
    def name = it.group + ":" + it.name
    def licences = it.licenses.collect { given -> given.expression ?: given.license.id ?: given.license.name }
    "| `" + name + "` | " + licences.join(" or ") + " | " + (jarsOf(name).empty ? "on request" : "every function") + " |"
  }.sort()
  assert lines == rows: "docs/third-party.md is outdated; its table must be:\n" + rows.join("\n") + "\n"
}
