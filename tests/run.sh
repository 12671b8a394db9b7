#!/bin/sh
# Runs test programs one after the other and adds up what Check reports. A program that dies without its summary line
# counts as one failure. Last line: "N passed, N failed, N skipped".
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
	start=$(date +%s)
	"$program" >"$log" 2>&1
	code=$?
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
	if [ "$bad" -ne 0 ]; then
		cat "$log"
	else
		grep '^SKIP: ' "$log"
	fi
	printf '%-52s %3d passed %3d failed  %ds\n' "${program#*/tests/}" $((checks - bad)) "$bad" \
		$(($(date +%s) - start))
done
[ "$passed" -gt 0 ] || { echo "no test ran"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
