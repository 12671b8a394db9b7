#!/bin/sh
# Runs test programs one after the other and adds up what Check reports. A program that dies without its summary line
# counts as one failure. At the end: what was skipped and why, the slowest ten, and the last line "N passed, N failed, N
# skipped". One run at a time in a build folder: a second one waits.
passed=0 failed=0 skipped=0
work=$(mktemp -d)
log=$work/log
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
: >"$work/times"
if command -v flock >/dev/null 2>&1; then
	exec 9>"${BUILD:-build}/tests.lock"
	flock -n 9 || { echo "waiting for the tests that run in ${BUILD:-build}" && flock 9; }
fi
for program in "$@"; do
	name=${program#*/tests/}
	start=$(date +%s)
	"$program" >"$log" 2>&1 9>&-
	code=$?
	seconds=$(($(date +%s) - start))
	line=$(grep -E '^[0-9]+%: Checks: ' "$log" | tail -1)
	checks=$(echo "$line" | sed -n 's/.*Checks: \([0-9]*\).*/\1/p')
	bad=$(echo "$line" | sed -n 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 + \2/p')
	skips=$(grep -c '^SKIP: ' "$log")
	if [ -z "$checks" ]; then
		checks=1 bad=1
		echo "$program: no summary, exit code $code"
	fi
	bad=$(($bad))
	[ "$code" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1 && checks=$((checks + 1))
	passed=$((passed + checks - bad)) failed=$((failed + bad)) skipped=$((skipped + skips))
	[ "$bad" -eq 0 ] || cat "$log"
	sed -n "s|^SKIP: |$name: |p" "$log" >>"$work/skipped"
	echo "$seconds $name" >>"$work/times"
	printf '%-52s %3d passed %3d failed  %ds\n' "$name" $((checks - bad)) "$bad" "$seconds"
done
[ "$passed" -gt 0 ] || { echo "no test ran"; failed=$((failed + 1)); }
if [ "$skipped" -gt 0 ]; then
	echo "skipped:"
	sort "$work/skipped" | uniq -c | sed 's/^ *1 /  /; s/^ *\([0-9][0-9]*\) \(.*\)/  \2 (\1 times)/'
fi
if [ $# -gt 10 ]; then
	echo "slowest:"
	sort -rn "$work/times" | sed -n '1,10s/^\([0-9]*\) /  \1 s  /p'
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
