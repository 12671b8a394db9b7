#!/usr/bin/env bash
# Fails when files of one layer include one another in a circle (a needs b, b needs a, directly or over others): such
# files can only be read, tested and replaced together. A .h and its .c count as one file; NAME.c without a header is
# one by itself.
#
#	tools/check_circles.sh [LAYER...]		core, data, train, convert, infer and tools when none is named
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- core data train convert infer tools

# Lines "FROM TO": file FROM (without .c and .h) includes file TO of the same layer. Includes are from the root of the
# tree, inside infer from the including file's folder.
edges() {
	find "$1" -name '*.[ch]' | sort | xargs awk '
		function plain(path) { sub(/\.[ch]$/, "", path); return path }
		function resolved(folder, path) {
			while (path ~ /^\.\.\//) { sub(/^\.\.\//, "", path); sub(/\/[^\/]*$/, "", folder) }
			return folder "/" path
		}
		/^#include "/ {
			split($0, part, "\"")
			folder = FILENAME
			sub(/\/[^\/]*$/, "", folder)
			to = layer == "infer" ? resolved(folder, part[2]) : part[2]
			if (index(to, layer "/") == 1 && plain(FILENAME) != plain(to)) print plain(FILENAME), plain(to)
		}' layer="$1" | sort -u
}

# The edges that lie on a circle: from the end of each one a walk is made that looks for its beginning.
on_circles() {
	awk '
		{ from[NR] = $1; to[NR] = $2; next_of[$1] = next_of[$1] " " $2 }
		function reaches(start, goal,    queue, seen, head, tail, i, count, list) {
			queue[head = tail = 1] = start
			seen[start] = 1
			while (head <= tail) {
				count = split(next_of[queue[head++]], list, " ")
				for (i = 1; i <= count; i++) {
					if (list[i] == goal) return 1
					if (!(list[i] in seen)) { seen[list[i]] = 1; queue[++tail] = list[i] }
				}
			}
			return 0
		}
		END { for (i = 1; i <= NR; i++) if (reaches(to[i], from[i])) print from[i] " includes " to[i] }'
}

found=0
for layer in "$@"; do
	left=$(edges "$layer" | on_circles)
	[ -n "$left" ] || continue
	found=1
	printf 'check-circles: files of %s/ that need one another:\n%s\n' "$layer" "$left" >&2
done
[ "$found" -eq 0 ] && echo "check-circles: ok"
exit "$found"
