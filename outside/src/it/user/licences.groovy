import groovy.json.JsonSlurper

// Under which licences our dependencies come, by the SBOMs that are published. Others than these are refused.

def allowed = ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"]
// JUnit's, and the public domain, and only where nobody gets it from us: who uses it names it.
def allowedIfOptional = allowed + ["EPL-2.0", "CC0-1.0"]

// A dependency with several licences leaves the choice; one without any gives no right to use it.
def licences = { component -> component.licenses.collect { it.expression ?: it.license.id ?: it.license.name } }
def refused = { components, list -> components.findAll { !licences(it).any { licence -> licence in list } } }

assert refused([[name: "a", licenses: [[license: [id: "GPL-3.0-only"]]]]], allowedIfOptional)*.name == ["a"]
assert refused([[name: "b", licenses: [[license: [id: "EPL-2.0"]]]]], allowed)*.name == ["b"]
assert refused([[name: "c", licenses: null], [name: "d", licenses: []]], allowedIfOptional)*.name == ["c", "d"]
assert refused([[name: "e", licenses: [[license: [name: "Something of our own"]]]]], allowedIfOptional)*.name == ["e"]
assert refused([[name: "f", licenses: [[license: [id: "GPL-2.0-only"]], [license: [id: "MIT"]]]]], allowed).empty

def root = new File(basedir, "../../../..")
def version = new File(basedir, "../../it-repo/io/mapstream/mapstream-parent").listFiles().find { it.directory }.name
def modules = ["mapstream-proto": "proto", "mapstream-api": "mapstream-api", "mapstream-server": "mapstream-server", "mapstream-testkit": "mapstream-testkit"]
def components = modules.collectMany { artifact, module ->
  def sbom = new File(root, module + "/target/" + artifact + "-" + version + "-cyclonedx.json")
  (new JsonSlurper().parse(sbom).components ?: []).findAll { it.group != "io.mapstream" }
}.unique { it.purl }

// The class path of the user, who takes the server and nothing else.
def jars = new File(basedir, "target/lib").list().findAll { !it.startsWith("io.mapstream.") }
def everywhere = components.findAll { (it.group + "." + it.name + "-" + it.version + ".jar") in jars }
assert everywhere.size() == jars.size(): "the SBOMs name " + everywhere*.purl + ", but the class path is " + jars
def optional = components - everywhere

def wrong = refused(everywhere, allowed) + refused(optional, allowedIfOptional)
assert wrong.empty: "licences that are not allowed: " + wrong.collect { it.purl + " " + licences(it) }

def rows = components.collect {
  "| `" + it.group + ":" + it.name + "` | " + licences(it).join(" or ") + " | " + (it in everywhere ? "every function" : "who names it") + " |"
}.sort()
def page = new File(root, "docs/third-party.md").readLines().findAll { it.startsWith("| `") }
assert page == rows: "docs/third-party.md is not true any more; its table has to be:\n" + rows.join("\n") + "\n"
