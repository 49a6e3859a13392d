#!/bin/sh
# Starts the function in this folder. The shell becomes the JVM, so that the pod's SIGTERM reaches it.
#
#   JAVA_OPTS   more JVM options, which win over those in jvm.options
#   JAVA        another java than the one that the folder was made for; the archive serves that one alone
set -eu
here=$(dirname "$(readlink -f "$0")")

# In an order that is always the same: an archive is good for one class path. (Java's own lib/* is in the file system's.)
class_path=$(LC_ALL=C && export LC_ALL && printf '%s:' "$here/function.jar" "$here"/lib/*.jar)

archive=
for made in "$here/function.aot" "$here/function.jsa"; do
  [ ! -f "$made" ] || archive=$made
done

# JDK 25 takes classes from the archive that have changed in a jar since (JDK-8377932), so that is seen to here.
for jar in "$here/function.jar" "$here"/lib/*.jar; do
  # shellcheck disable=SC3013 # each sh there is has -nt
  if [ -n "$archive" ] && [ "$jar" -nt "$archive" ]; then
    echo "run: the archive is not used, since $jar is newer; assemble the folder again" >&2
    archive=
  fi
done

case $archive in
  *.aot) archive=-XX:AOTCache=$archive ;;
  *.jsa) archive=-XX:SharedArchiveFile=$archive ;;
esac

# Where Netty finds its native library without unpacking it first.
LD_LIBRARY_PATH=$here/native${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# shellcheck disable=SC2086 # JAVA_OPTS is a list
exec "${JAVA:-$here/java}" "@$here/jvm.options" ${archive:+"$archive"} -cp "${class_path%:}" ${JAVA_OPTS:-} \
  "@$here/main-class" "$@"
