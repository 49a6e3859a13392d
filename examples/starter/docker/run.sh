#!/bin/sh
# Starts the function in this folder. The JVM replaces the shell, so that the pod's SIGTERM reaches it.
#
#   JAVA_OPTS   additional JVM options, which override those in jvm.options
#   JAVA        a java other than the one that the folder was made for; the archive works only with that one
set -eu
here=$(dirname "$(readlink -f "$0")")

# In a fixed order, since an archive is valid for one class path. (Java's own lib/* has the order of the file system.)
class_path=$(LC_ALL=C && export LC_ALL && printf '%s:' "$here/function.jar" "$here"/lib/*.jar)

archive=
for made in "$here/function.aot" "$here/function.jsa"; do
  [ ! -f "$made" ] || archive=$made
done

# JDK 25 loads classes from the archive even if they have changed in a jar since (JDK-8377932), so this checks the jars.
for jar in "$here/function.jar" "$here"/lib/*.jar; do
  # shellcheck disable=SC3013 # every common sh has -nt
  if [ -n "$archive" ] && [ "$jar" -nt "$archive" ]; then
    echo "run: the archive is not used, since $jar is newer; assemble the folder again" >&2
    archive=
  fi
done

case $archive in
  *.aot) archive=-XX:AOTCache=$archive ;;
  *.jsa) archive=-XX:SharedArchiveFile=$archive ;;
esac

# Here Netty finds its native library, and need not unpack it.
LD_LIBRARY_PATH=$here/native${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# shellcheck disable=SC2086 # JAVA_OPTS is a list
exec "${JAVA:-$here/java}" "@$here/jvm.options" ${archive:+"$archive"} -cp "${class_path%:}" ${JAVA_OPTS:-} \
  "@$here/main-class" "$@"
