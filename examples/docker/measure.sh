#!/bin/sh
# Measures how fast an assembled function (Fanout) starts, and how much memory it takes. Prints the figures of docs/deploying.md.
# Requires `mvn -DskipTests package` first, and an otherwise idle machine.
set -eu

unset JAVA # a setting of the launcher, see assemble.sh

here=$(cd "$(dirname "$0")" && pwd)
examples=$(dirname "$here")
target=$examples/target

usage() {
  cat <<END
usage: measure.sh start [--java JAVA] [--starts N]   time from exec to the first EOT, for three ways in turn (20 starts each)
       measure.sh memory [--java JAVA]               resident memory, idle and under load, with different heaps
JAVA is the java to measure, 21 or newer: \$JAVA_HOME/bin/java by default, or java on the path.
END
}

wrong_call() {
  echo "measure.sh: $*" >&2
  usage >&2
  exit 2
}

case ${1:-} in
  start | memory) what=$1 && shift ;;
  -h | --help) usage && exit 0 ;;
  *) wrong_call "the first argument must be start or memory" ;;
esac
java=${JAVA_HOME:+$JAVA_HOME/bin/java}
java=${java:-java}
starts=20
while [ $# -gt 0 ]; do
  case $1 in
    --java) java=${2:?--java needs a value} ;;
    --starts) starts=${2:?--starts needs a value} ;;
    *) wrong_call "unknown option $1" ;;
  esac
  shift 2
done
case $starts in '' | 0* | *[!0-9]*) wrong_call "--starts must be a number of at least 1 but was $starts" ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$examples/starter/docker/assemble.sh" --project "$examples" \
  --class io.mapstream.examples.Fanout --input "$examples/lines/Fanout.txt" \
  --java "$java" --out "$work/archive" >&2

# The client runs on the measured JVM as well.
bench() {
  benchmark=$1
  shift
  "$work/archive/java" --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp "$target/test-classes:$target/classes:$target/lib/*" "io.mapstream.examples.$benchmark" "$@"
}

case $what in
  start)
    cp -a "$work/archive" "$work/plain"
    rm -f "$work/plain"/function.aot "$work/plain"/function.jsa
    jars="$work/plain/function.jar:$work/plain/lib/*"
    bench StartBenchmark "$starts" \
      "no-archive=$work/plain/run" \
      "archive=$work/archive/run" \
      "java-alone=$work/plain/java --enable-native-access=ALL-UNNAMED -cp $jars io.mapstream.examples.Fanout"
    ;;
  memory)
    bench MemoryBenchmark "$work/archive/run" -Xmx64m -Xmx128m -Xmx512m -XX:MaxRAM=256m -XX:MaxRAM=512m \
      "-Xmx128m -XX:-UseSerialGC -XX:+UseG1GC"
    ;;
esac
