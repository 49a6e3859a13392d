// Runs after the build of examples/starter. Each check throws an error that describes what is wrong.

["WordsTest", "WordsServerTest"].each { name ->
  def tests = new File(basedir, "target/surefire-reports/com.example." + name + ".txt").text
  assert tests.contains("Tests run: 1, Failures: 0, Errors: 0, Skipped: 0")
}

for (check in ["versions", "commands", "cli", "footprint", "publication", "licences"]) {
  evaluate(new File(basedir, check + ".groovy"))
}
