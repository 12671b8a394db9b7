#!/bin/sh
# Installs what tapcut needs on Debian/Ubuntu, where it is missing. Does nothing, quickly, when all is there.
set -eu
need=""
want() { # want PACKAGE HEADER-OR-PROGRAM
	case $2 in
	*.h) echo "#include <stdio.h>
#include <$2>" | ${CC:-gcc} -fsyntax-only -xc - 2>/dev/null || need="$need $1" ;;
	*) command -v "$2" >/dev/null 2>&1 || need="$need $1" ;;
	esac
}
command -v "${CC:-gcc}" >/dev/null 2>&1 || need="$need gcc libc6-dev"
want make make
want pkg-config pkg-config
want libopenblas-pthread-dev cblas.h
want libcjson-dev cjson/cJSON.h
want libpng-dev png.h
want libjpeg62-turbo-dev jpeglib.h
want liblcms2-dev lcms2.h
want zlib1g-dev zlib.h
want libsqlite3-dev sqlite3.h
want check check.h
if [ -n "${MPI:-}" ]; then # make deps MPI=1
	want openmpi-bin mpirun
	want libopenmpi-dev mpicc
fi
[ -z "$need" ] && exit 0
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null 2>&1; then
	echo "tapcut needs these packages (Debian names):$need" >&2
	exit 1
fi
# Ubuntu names libjpeg-turbo differently.
apt-cache show libjpeg62-turbo-dev >/dev/null 2>&1 || { $sudo apt-get update -q; }
apt-cache show libjpeg62-turbo-dev >/dev/null 2>&1 ||
	need=$(echo "$need" | sed 's/libjpeg62-turbo-dev/libjpeg-turbo8-dev/')
echo "installing:$need"
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $need
