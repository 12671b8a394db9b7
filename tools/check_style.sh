#!/usr/bin/env bash
# The style of CONTRIBUTING.md, as far as a program can tell. Fails, with file and line, on
#   - C that clang-format 14 would lay out otherwise (skipped, and said so, where that version is not installed),
#   - lines over 120 columns (a tab is 8) in any text file, outside "clang-format off" and the tables of Markdown,
#   - functions of C over 40 lines from brace to brace.
#
#	tools/check_style.sh [FILE...]		of all files of the tree when none is named
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

# What git would track; without git (a release's archive), what lies here apart from build folders and runs.
all_files() {
	git ls-files --cached --others --exclude-standard 2>/dev/null ||
		find . -type f -not -path './.git/*' -not -path './build*' -not -path './runs/*' | sed 's|^\./||'
}

# Data and pictures are no text to read; the expected output of tools is as these write it.
is_text() {
	case $1 in
	*.jpg | *.png | *.svg | *.tapcut | *.safetensors | *.woff2 | LICENSE) return 1 ;;
	tests/fuzz/corpus/* | tests/*/golden/*.txt | tests/golden/*.txt | tests/golden/*.h) return 1 ;;
	esac
	[ -f "$1" ] && [ ! -L "$1" ]
}

text=() c=()
while IFS= read -r file; do
	is_text "$file" || continue
	text+=("$file")
	case $file in *.c | *.h | *.inc) c+=("$file") ;; esac
done < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else all_files; fi)

failed=0
report() {
	[ -z "$1" ] && return
	failed=1
	printf '%s\n' "$1" >&2
}

# In the C locale, so that length counts bytes; the continuation bytes of UTF-8 are taken out first.
long_lines() {
	LC_ALL=C awk '
		FNR == 1 { off = 0 }
		/clang-format off/ { off = 1 }
		/clang-format on/ { off = 0 }
		off || (FILENAME ~ /\.md$/ && /^ *\|/) { next }
		{
			line = $0
			gsub(/[\200-\277]/, "", line)
			columns = 0
			count = split(line, parts, "\t")
			for (i = 1; i <= count; i++) {
				columns += length(parts[i])
				if (i < count) columns += 8 - columns % 8
			}
			if (columns > 120) print FILENAME ":" FNR ": " columns " columns, at most 120"
		}' "$@"
}

long_functions() {
	LC_ALL=C awk '
		FNR == 1 { from = 0 }
		/^\{/ && previous ~ /\)[^=;]*$/ { from = FNR; name = previous }
		/^\}/ && from {
			if (FNR - from + 1 > 40) print FILENAME ":" from ": " FNR - from + 1 " lines, at most 40: " name
			from = 0
		}
		{ previous = $0 }' "$@"
}

formatter() {
	local program
	for program in clang-format-14 clang-format; do
		"$program" --version 2>/dev/null | grep -q 'version 14\.' && echo "$program" && return
	done
}

if [ ${#text[@]} -gt 0 ]; then report "$(long_lines "${text[@]}")"; fi
if [ ${#c[@]} -gt 0 ]; then
	report "$(long_functions "${c[@]}")"
	program=$(formatter)
	if [ -n "$program" ]; then
		report "$("$program" --dry-run -Werror "${c[@]}" 2>&1 | grep 'error:')"
	else
		echo "check-style: layout skipped: clang-format 14 is not installed"
	fi
fi
[ "$failed" -eq 0 ] && echo "check-style: ok"
exit "$failed"
