import groovy.xml.XmlSlurper

// Runs the commands of the starter's README that need only a JDK, with the JDK that has run its tests.

def report = new XmlSlurper(false, false).parse(new File(basedir, "target/surefire-reports/TEST-com.example.WordsTest.xml"))
def javaHome = report.properties.property.find { it.@name == "java.home" }.@value.text()

def run = { command ->
  def builder = new ProcessBuilder("sh", "-c", command).directory(basedir).redirectErrorStream(true)
  builder.environment().putAll([JAVA_HOME: javaHome, PATH: javaHome + "/bin:" + System.getenv("PATH")])
  def process = builder.start()
  def printed = process.inputStream.text
  assert process.waitFor() == 0: command + "\n" + printed
  printed
}
def commands = new File(basedir, "README.md").text.replace("\\\n", "").readLines().findAll { it.startsWith("    ") }*.trim()
def command = { part -> commands.find { it.contains(part) } }

assert run(command(" drive ")).readLines().findAll { it.endsWith("a") || it.endsWith("b") }.size() == 2
// With fewer datums than for an image, whose training is slow.
run(command("assemble.sh").replaceFirst(" #.*", "") + " --datums 100")
assert new File(basedir, "target/function/run").canExecute()
