#!/bin/sh
# Assembles the folder that a function's image consists of, and trains the function: see mapstream's docs/deploying.md. The
# Dockerfile calls this script when it builds the image; the script can also run elsewhere.
set -eu

# The launcher would use it as the JVM of a deployment, and the archive would be made for that JVM.
unset JAVA

here=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<END
usage: assemble.sh --class CLASS --input FILE [OPTION...]

  --class CLASS    the function: a class whose main method serves it
  --input FILE     the lines to train with, one datum each; JSON Lines, as the drive command reads them, if the
                   name ends in .jsonl. The function processes them as in production.
  --project DIR    the packaged project; its target folder has the defaults of the next four ($(dirname "$here"))
  --classes PATH   the function's own classes: a jar, or a folder if the JDK's jar command is available
                   (the jar in target)
  --lib DIR        the jars that it needs at run time (target/function-lib)
  --tools DIR      the jars of the training's client: the test kit, picocli, HdrHistogram and what they need
                   (target/lib)
  --out DIR        the folder to make (target/function); the result of an earlier run is replaced
  --java JAVA      the java that will run it, 21 or newer (\$JAVA_HOME/bin/java, or java on the path)
  --datums N       how many datums to train with; the lines are repeated (20000)
END
}

fail() {
  echo "assemble.sh: $*" >&2
  exit 1
}

wrong_call() {
  echo "assemble.sh: $*" >&2
  usage >&2
  exit 2
}

class='' input='' project=$(dirname "$here") classes='' lib='' tools='' out='' datums=20000
java=${JAVA_HOME:+$JAVA_HOME/bin/java}
java=${java:-java}

while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage && exit 0 ;;
    --class | --input | --project | --classes | --lib | --tools | --out | --java | --datums) ;;
    *) wrong_call "unknown option $1" ;;
  esac
  [ -n "${2:-}" ] || wrong_call "$1 needs a value"
  case $1 in
    --class) class=$2 ;;
    --input) input=$2 ;;
    --project) project=$2 ;;
    --classes) classes=$2 ;;
    --lib) lib=$2 ;;
    --tools) tools=$2 ;;
    --out) out=$2 ;;
    --java) java=$2 ;;
    --datums) datums=$2 ;;
  esac
  shift 2
done

# ---- the arguments

target=$project/target
lib=${lib:-$target/function-lib} tools=${tools:-$target/lib} out=${out:-$target/function}
[ -n "$class" ] || wrong_call "--class is missing: name the function's class"
[ -n "$input" ] || wrong_call "--input is missing: the training needs datums that the function accepts"
[ -s "$input" ] || fail "--input $input must be a file that is not empty"
if [ -z "$classes" ]; then
  for jar in "$target"/*.jar; do
    case $jar in *-sources.jar | *-javadoc.jar) ;; *) classes=$jar ;; esac
  done
fi
[ -e "$classes" ] || fail "--classes $classes does not exist; has the project been packaged?"
has_jars() { for jar in "$1"/*.jar; do [ -f "$jar" ] && return 0; done; return 1; }
has_jars "$lib" || fail "--lib $lib has no jars; has the project been packaged?"
has_jars "$tools" || fail "--tools $tools has no jars; has the project been packaged?"
case $datums in '' | 0* | *[!0-9]*) wrong_call "--datums must be a number of at least 1 but was $datums" ;; esac
is_function() { [ -f "$1/main-class" ] && [ -f "$1/jvm.options" ] && [ -x "$1/run" ]; }
[ ! -e "$out" ] || is_function "$out" || fail "--out $out exists, and is not a function's folder: remove it, or name another"

java=$(command -v "$java" || true)
[ -n "$java" ] || fail "no java was found; name one with --java"
java=$(readlink -f "$java")
version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
[ -n "$version" ] || fail "$java does not report its version"
[ "$version" -ge 21 ] || fail "$java is Java $version, too old: a function needs 21 or newer; name one with --java"

# ---- the folder

# Contains a socket, whose path is limited to about 100 bytes.
work=$(mktemp -d)
if [ "$(printf %s "$work" | wc -c)" -gt 90 ]; then
  rmdir "$work"
  work=$(mktemp -d /tmp/mapstream.XXXXXX)
fi
# Next to the folder to make, which it replaces when the function is trained.
made=${out%/}.incomplete
server='' former=''
clean_up() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$work" "$made"
  if [ -n "$former" ]; then # this run has failed after it took the place of an earlier one
    rm -rf "$out"
    [ ! -e "$former" ] || mv "$former" "$out"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -rf "$made"
mkdir -p "$made/lib"
made=$(cd "$made" && pwd)
out=${made%.incomplete}
cp "$lib"/*.jar "$made/lib/"
if [ -d "$classes" ]; then
  jar=$(dirname "$java")/jar
  [ -x "$jar" ] || jar=$(command -v jar || true)
  [ -n "$jar" ] || fail "--classes $classes is a folder, and there is no jar command to pack it; give a jar"
  "$jar" --create --file "$made/function.jar" -C "$classes" .
else
  cp "$classes" "$made/function.jar"
fi
cp "$here/jvm.options" "$made/jvm.options"
if [ "$version" -ge 25 ]; then
  cat "$here/jvm-25.options" >>"$made/jvm.options"
fi
cp "$here/mapstream.jfc" "$made/mapstream.jfc"
cp "$here/run.sh" "$made/run"
chmod 755 "$made/run"
ln -s "$java" "$made/java"
echo "$class" >"$made/main-class"

JAVA_OPTS=--dry-run "$made/run" >"$work/log" 2>&1 || fail "$class can't be started by $java:
$(cat "$work/log")"

# ---- the training

# serve OPTION...: starts the function with additional JVM options, and returns when it accepts connections.
serve() {
  rm -f "$work/info"
  MAPSTREAM_SOCKET_PATH=$work/s MAPSTREAM_SERVER_INFO_FILE=$work/info JAVA_OPTS=$* "$made/run" >"$work/log" 2>&1 &
  server=$!
  waited=0
  until [ -e "$work/info" ]; do
    kill -0 "$server" 2>/dev/null || server_failed "ended before it served anything"
    [ "$waited" -lt 600 ] || server_failed "served nothing within a minute"
    waited=$((waited + 1))
    sleep 0.1
  done
}

server_failed() {
  fail "$class $1; what it printed:
$(cat "$work/log")"
}

# Ends the function as the platform does.
stop() {
  kill -TERM "$server"
  code=0
  wait "$server" || code=$?
  server=''
  [ "$code" -eq 0 ] || server_failed "ended with exit code $code"
}

drive() {
  format=''
  case $input in *.jsonl) format=--json ;; esac
  # shellcheck disable=SC2086 # an empty format must not become an argument
  "$java" --enable-native-access=ALL-UNNAMED -cp "$tools/*" io.mapstream.testkit.cli.Main drive \
    --socket "$work/s" --timeout 60s --quiet --output value $format "$work/input" >/dev/null 2>"$work/drive.log" ||
    server_failed "was not trained: $(cat "$work/drive.log")"
}

awk -v n="$datums" '{ line[NR] = $0 } END { for (i = 0; i < n; i++) print line[i % NR + 1] }' "$input" >"$work/input"

# Netty unpacks its native library into a temporary file at each start. If it is kept in the folder, no writable file system is
# needed. (If Netty has none for this system, the server uses the JDK's sockets, and there is nothing to keep.)
mkdir "$made/native" "$work/native"
serve "-Dio.grpc.netty.shaded.io.netty.native.workdir=$work/native -Dio.grpc.netty.shaded.io.netty.native.deleteLibAfterLoading=false"
for unpacked in "$work/native"/*.so; do
  if [ -f "$unpacked" ]; then
    cp "$unpacked" "$made/native/$(basename "$unpacked" | sed 's/_64[0-9]*\.so$/_64.so/')"
  fi
done
stop

if [ "$version" -ge 25 ]; then
  archive=function.aot must_be_used=-XX:AOTMode=on
  serve "-XX:AOTCacheOutput=$work/$archive"
  drive
  stop
else
  archive=function.jsa must_be_used=-Xshare:on
  serve "-XX:DumpLoadedClassList=$work/classes"
  drive
  stop
fi

# ---- the folder in its place: before Java 25, an archive is valid for one path

former=$out.former
rm -rf "$former"
[ ! -e "$out" ] || mv "$out" "$former"
mv "$made" "$out"
if [ "$version" -lt 25 ]; then
  JAVA_OPTS="-Xshare:dump -XX:SharedClassListFile=$work/classes -XX:SharedArchiveFile=$work/$archive" \
    "$out/run" >"$work/log" 2>&1 || server_failed "could not be archived"
fi
[ -s "$work/$archive" ] || server_failed "left no archive"
cp "$work/$archive" "$out/$archive"
chmod 644 "$out/$archive"
JAVA_OPTS="$must_be_used -version" "$out/run" >"$work/log" 2>&1 || server_failed "can't use its archive"
chmod -R a+rX "$out"
rm -rf "$former"
former=''
echo "$out: $(du -sh "$out" | cut -f1), of which the archive $(du -h "$out/$archive" | cut -f1); Java $version"
