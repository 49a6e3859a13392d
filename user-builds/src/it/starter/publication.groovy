import groovy.xml.XmlSlurper
import java.util.zip.ZipFile

// Checks what would be published: the POMs that were installed for the user builds and the files made with the jars must be complete,
// and must contain what Maven Central requires.

def root = new File(basedir, "../../../..")
def published = new File(basedir, "../../it-repo/io/mapstream")
def version = new File(published, "mapstream-parent").listFiles().find { it.directory }.name
def pom = { artifact ->
  new XmlSlurper(false, false).parse(new File(published, artifact + "/" + version + "/" + artifact + "-" + version + ".pom"))
}
def modules = ["mapstream-proto": "proto", "mapstream-api": "mapstream-api", "mapstream-server": "mapstream-server", "mapstream-testkit": "mapstream-testkit"]
def file = { artifact, ending -> new File(root, modules[artifact] + "/target/" + artifact + "-" + version + ending) }
def contents = { jar -> new ZipFile(jar).withCloseable { zip -> zip.entries().toList()*.name } }
def text = { jar, name -> new ZipFile(jar).withCloseable { zip -> zip.getInputStream(zip.getEntry(name)).text } }
def given = { poms, field -> poms.any { !it[field].text().isBlank() } }

def parent = pom("mapstream-parent")
assert parent.@"child.project.url.inherit.append.path" == "false"
assert ["connection", "developerConnection", "url"].every { !parent.scm[it].text().isBlank() }
assert parent.licenses.license.name == "Apache-2.0"

modules.keySet().each { artifact ->
  def own = pom(artifact)
  assert own.parent.artifactId == "mapstream-parent" && own.parent.version == version
  ["name", "description"].each { field -> assert given([own], field): artifact + " has no " + field }
  ["url", "licenses", "developers", "scm"].each { field -> assert given([own, parent], field): artifact + " has no " + field }

  ([".jar", "-sources.jar", "-javadoc.jar"] + (build == "offline=true" ? [] : ["-cyclonedx.json"])).each { ending ->
    assert file(artifact, ending).file: file(artifact, ending).name + " is missing; a build that ends before verify does not make it"
  }
  [".jar", "-sources.jar"].each { ending ->
    ["LICENSE", "NOTICE"].each { name ->
      assert text(file(artifact, ending), "META-INF/" + name) == new File(root, name).text
    }
  }
  assert contents(file(artifact, ".jar")).any { it.endsWith(".class") }
  assert contents(file(artifact, "-sources.jar")).any { it.endsWith(".java") }
  assert contents(file(artifact, "-javadoc.jar")).any { it == "index.html" || it == "README.md" }
}

// Users of the POMs build with their own plugins and repositories.
(modules.keySet().collect { pom(it) } + parent).each {
  assert it.repositories.isEmpty() && it.pluginRepositories.isEmpty() && it.distributionManagement.isEmpty()
  assert it.build.extensions.isEmpty() && it.build.plugins.plugin.every { plugin -> plugin.extensions != "true" }
}
// A handler's module needs only the JDK.
assert pom("mapstream-api").dependencies.dependency.every { it.scope.text() in ["provided", "test"] }
