import java.util.zip.ZipFile

// The commands as one jar: it is runnable, and contains the texts that its licences require.

def root = new File(basedir, "../../../..")
def jar = new File(root, "mapstream-testkit/target").listFiles().find { it.name.endsWith("-cli.jar") }
assert jar != null: "mapstream-testkit has no jar with the classifier cli"

new ZipFile(jar).withCloseable { zip ->
  def text = { name -> zip.getInputStream(zip.getEntry(name)).text }
  ["LICENSE", "NOTICE"].each { assert text("META-INF/" + it) == new File(root, it).text }
  assert text("META-INF/third-party.md") == new File(root, "docs/third-party.md").text
  // The texts that the licences of SLF4J, protobuf and Netty require. Several jars have a LICENSE.txt; only one remains.
  ["LICENSE.txt": "QOS.ch", "LICENSE-protobuf.txt": "Google Inc.", "NOTICE.txt": "The Netty Project", "license/LICENSE.boringssl.txt": "BoringSSL"].each { name, part ->
    assert text("META-INF/" + name).contains(part): name
  }
  assert zip.entries().toList()*.name.every { !it.startsWith("org/junit/") && !it.endsWith(".SF") }
}

def function = new GroovyClassLoader(getClass().classLoader).parseClass(new File(basedir, "../../../src/Function.groovy"))

function.newInstance(basedir).withCloseable {
  it.start("--enable-native-access=ALL-UNNAMED", "-cp", "target/words-1.jar" + File.pathSeparator + "target/lib/*", "com.example.Words")
  assert it.command(jar, "a,b", "drive", "--quiet", "--output", "value") == ["a", "b"]
  assert it.command(jar, "", "load", "--count", "1", "--warmup", "0s", "--json").join("").contains("{")
}
