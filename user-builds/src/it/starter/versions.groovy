import groovy.xml.XmlSlurper

// The starter must have the versions of this build, which are kept up to date and are already downloaded.

def build = new XmlSlurper(false, false).parse(new File(basedir, "../../../../pom.xml"))
def starter = new XmlSlurper(false, false).parse(new File(basedir, "pom.xml"))

def properties = build.properties.children().collectEntries { [it.name(), it.text()] }
properties["mapstream.version"] = build.version.text()
starter.properties.children().findAll { it.name().endsWith(".version") }.each {
  assert it.text() == properties[it.name()]: "examples/starter/pom.xml: " + it.name()
}
def managed = build.dependencyManagement.dependencies.dependency.collectEntries { [it.artifactId.text(), it.version.text()] }
def named = starter.build.plugins.plugin.collect {
  [it.artifactId.text(), it.version.text(), properties[it.artifactId.text().replaceFirst("^maven-", "").replaceFirst('$', ".version")]]
} + starter.dependencies.dependency.findAll { !it.version.text().startsWith('$') }.collect {
  [it.artifactId.text(), it.version.text(), managed[it.artifactId.text()]]
}
assert named.size() >= 8
named.each { artifact, version, ours ->
  assert version == ours: "examples/starter/pom.xml: " + artifact
}
