#!/bin/sh
# run_one.sh FOLDER PROGRAM: runs one test program for tests/run.sh and prints its line, with its output where something
# failed. Adds to FOLDER what run.sh adds up: "PASSED FAILED SKIPPED SECONDS NAME" to `results`, reasons to `skipped`.
work=$1 program=$2
name=${program#*/tests/}
log=$(mktemp "$work/log.XXXXXX")
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
	echo "$program: no summary, exit code $code" >>"$log"
fi
bad=$(($bad))
[ "$code" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1 && checks=$((checks + 1))
sed -n "s|^SKIP: |$name: |p" "$log" >>"$work/skipped"
echo "$((checks - bad)) $bad $skips $seconds $name" >>"$work/results"
[ "$bad" -eq 0 ] && : >"$log"
printf '%-52s %3d passed %3d failed  %ds\n' "$name" $((checks - bad)) "$bad" "$seconds" >>"$log"
cat "$log" # in one piece: others print too
