#!/bin/sh
# install.sh install|uninstall PART..., from the top of the project: what `make install` puts in place and `make
# uninstall` takes away, from one list. Folders come in the environment (PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR
# BASHDIR ZSHDIR DESTDIR) and may have spaces; uninstall removes files that install has written and folders that are
# empty then, and nothing else.
set -eu
action=$1

fail() {
	echo "make $action: $*" >&2
	exit 1
}

# --- folders -------------------------------------------------------------------------------------------------------

newline='
'
for name in PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR BASHDIR ZSHDIR; do
	eval "folder=\$$name"
	[ -n "$folder" ] || fail "$name is empty: expected a folder"
	case $folder in
	/*) ;;
	*) folder=$PWD/$folder ;;
	esac
	case $folder in
	*[\"\'\`\$\\\#\;]* | *"$newline"*)
		fail "$name: expected a folder that pkg-config and CMake can name, without quotes, \$, #, ; or \\;" \
			"found $folder"
		;;
	esac
	folder=$(printf '%s' "$folder" | sed 's|//*|/|g; s|\(.\)/$|\1|')
	eval "$name=\$folder"
done
DESTDIR=${DESTDIR:-}
core=$INCLUDEDIR/tapcut/core

# --- what is done with a file --------------------------------------------------------------------------------------

# put MODE DESTINATION [FILTER...]: stdin, through the filter, becomes the file.
put() {
	mode=$1 to=$DESTDIR$2
	shift 2
	if [ "$action" = uninstall ]; then
		rm -f -- "$to"
		return
	fi
	mkdir -p -- "${to%/*}"
	"${@:-cat}" >"$to.new"
	chmod "$mode" "$to.new"
	mv -f -- "$to.new" "$to"
}

# copy MODE FOLDER FILE...
copy() {
	mode_of_all=$1 folder=$2
	shift 2
	for file in "$@"; do
		put "$mode_of_all" "$folder/${file##*/}" <"$file"
	done
}

# symlink TARGET DESTINATION
symlink() {
	rm -f -- "$DESTDIR$2"
	[ "$action" = uninstall ] || ln -s -- "$1" "$DESTDIR$2"
}

# Text as the right side of a sed command.
escape() {
	printf '%s' "$1" | sed 's/[&|\\]/\\&/g'
}

# The folder as pkg-config files write it: below ${prefix} where it is.
below_prefix() {
	case $1 in
	"$PREFIX"/*) escape "\${prefix}${1#"$PREFIX"}" ;;
	*) escape "$1" ;;
	esac
}

from_cmake() {
	escape "$(realpath -m --relative-to="$LIBDIR/cmake/tapcut" -- "$1")"
}

# generate TEMPLATE FOLDER: infer/packaging/TEMPLATE.in with its @NAMES@ filled in.
generate() {
	put 644 "$2/$1" sed -e "s|@PREFIX@|$(escape "$PREFIX")|" -e "s|@VERSION@|$VERSION|" -e "s|@SONAME@|$SONAME|" \
		-e "s|@SHARED@|$SHARED|" -e "s|@LIBDIR@|$(below_prefix "$LIBDIR")|" \
		-e "s|@INCLUDEDIR@|$(below_prefix "$INCLUDEDIR")|" -e "s|@DATADIR@|$(below_prefix "$DATADIR")|" \
		-e "s|@TO_INCLUDE@|$(from_cmake "$INCLUDEDIR")|" -e "s|@TO_DATA@|$(from_cmake "$DATADIR")|" \
		"infer/packaging/$1.in" </dev/null
}

# Folders of ours that are empty now; "$@" from the innermost.
tidy() {
	[ "$action" = uninstall ] || return 0
	for folder in "$@"; do
		rmdir -- "$DESTDIR$folder" 2>/dev/null || true
	done
}

# from_program DESTINATION WORD...: what the program prints.
from_program() {
	to_file=$1
	shift
	put 644 "$to_file" "$BUILD/tapcut" "$@" </dev/null
}

# --- what is installed ---------------------------------------------------------------------------------------------

# The program. It looks for its model in ../share/tapcut.
program() {
	copy 755 "$BINDIR" "$BUILD/tapcut"
	from_program "$BASHDIR/tapcut" completion bash
	from_program "$ZSHDIR/_tapcut" completion zsh
	from_program "$MANDIR/man1/tapcut.1" man
	for command in tools/cmd_*.c; do
		command=${command#tools/cmd_} command=${command%.c}
		from_program "$MANDIR/man1/tapcut-$command.1" man "$command"
	done
}

# libtapcut, for apps (infer/README.md).
inference() {
	copy 644 "$INCLUDEDIR" infer/tapcut*.h
	copy 644 "$DATADIR" infer/models/*.tapcut
	copy 644 "$LIBDIR" "$LIB/libtapcut.a"
	copy 755 "$LIBDIR" "$LIB/$SHARED"
	symlink "$SHARED" "$LIBDIR/$SONAME"
	symlink "$SONAME" "$LIBDIR/libtapcut.so"
	generate tapcut.pc "$LIBDIR/pkgconfig"
	generate tapcut-config.cmake "$LIBDIR/cmake/tapcut"
	generate tapcut-config-version.cmake "$LIBDIR/cmake/tapcut"
	tidy "$DATADIR" "$LIBDIR/cmake/tapcut"
}

# libtapcut-core, to train with (core/README.md). #include "core/..." of the project is <tapcut/core/...> of an
# installed header; headers that only the library's own files include stay here.
core_library() {
	for header in $(find core -name '*.h' ! -path 'core/conv2d/*' ! -path 'core/examples/*' ! -name kernel.h \
		! -name vec.h ! -name vmath.h ! -name pointwise.h); do
		put 644 "$core${header#core}" sed -e '1i /* SPDX-License-Identifier: MIT */' \
			-e 's|^#include "core/|#include "tapcut/core/|' <"$header"
	done
	put 644 "$LIBDIR/libtapcut-core.a" <"$BUILD/libcore.a"
	generate tapcut-core.pc "$LIBDIR/pkgconfig"
	tidy "$core/nn" "$core/ops" "$core/kernels" "$core" "${core%/core}"
}

shift
for part in "$@"; do
	"$part"
done
if [ "$action" = install ]; then
	echo "installed tapcut $VERSION in $DESTDIR$PREFIX"
	[ "$DATADIR" = "${BINDIR%/*}/share/tapcut" ] ||
		echo "tapcut looks for its model in ${BINDIR%/*}/share/tapcut:" \
			"here it needs --model $DATADIR/base.tapcut"
fi
