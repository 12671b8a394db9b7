#!/bin/sh
# Runs test programs, as many at a time as there are processors (JOBS=N: another number), and adds up what Check
# reports. A program that dies without its summary line counts as one failure. At the end: what was skipped and why,
# the slowest ten, and the last line "N passed, N failed, N skipped". One run at a time in a build folder: a second one
# waits.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
: >"$work/results"
if command -v flock >/dev/null 2>&1; then
	exec 9>"${BUILD:-build}/tests.lock"
	flock -n 9 || { echo "waiting for the tests that run in ${BUILD:-build}" && flock 9; }
fi
printf '%s\n' "$@" | xargs -d '\n' -n 1 -P "${JOBS:-$(nproc)}" "${0%/*}/run_one.sh" "$work"
passed=0 failed=0 skipped=0
while read -r good bad skips _; do
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
done <"$work/results"
[ "$passed" -gt 0 ] || { echo "no test ran"; failed=$((failed + 1)); }
if [ "$skipped" -gt 0 ]; then
	echo "skipped:"
	sort "$work/skipped" | uniq -c | sed 's/^ *1 /  /; s/^ *\([0-9][0-9]*\) \(.*\)/  \2 (\1 times)/'
fi
if [ $# -gt 10 ]; then
	echo "slowest:"
	cut -d' ' -f4- "$work/results" | sort -rn | sed -n '1,10s/^\([0-9]*\) /  \1 s  /p'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
