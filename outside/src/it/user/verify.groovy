// After the user's build. Each of these throws where something is not as it is said to be, and says what.

def tests = new File(basedir, "target/surefire-reports/com.example.WordsTest.txt").text
assert tests.contains("Tests run: 2, Failures: 0, Errors: 0, Skipped: 0")

for (check in ["footprint", "publication", "licences"]) {
  evaluate(new File(basedir, check + ".groovy"))
}
