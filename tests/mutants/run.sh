#!/bin/sh
# Puts one plausible bug at a time into a copy of the tree and asks the tests whether they notice: mutation testing, as
# DeMillo, Lipton and Sayward describe it ("Hints on test data selection", IEEE Computer, 1978). mutants.txt has them.
# M=word: only those whose file, tests or bug have the word in them.
#
# At the end: the survivors, and "N killed, N survived"; the exit status is 0 where none survived.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=${MUTANTS:-build/mutants}
mkdir -p "$tree"
tar -cf - --exclude=./build --exclude=./runs --exclude=./demo --exclude=./.git . | tar -xf - -C "$tree" || exit 1
[ -e "${tree%/*}/shared" ] || [ ! -e ../shared ] || ln -s "$(cd ../shared && pwd)" "${tree%/*}/shared"
log=$PWD/$tree.log
: >"$log"

# Exactly one place, or the row is out of date.
replace() {
	FROM=$2 TO=$3 perl -0777 -pi -e '
		BEGIN {
			my %meant = (n => "\n", t => "\t");
			for (qw(FROM TO)) { $ENV{$_} =~ s/\\(.)/$meant{$1} \/\/ $1/ge }
		}
		my $n = () = /\Q$ENV{FROM}\E/g;
		if ($n != 1) { print STDERR "expected the text once, found it $n times\n"; exit 3 }
		s/\Q$ENV{FROM}\E/$ENV{TO}/' "$1"
}

# 0: the tests of a row pass.
passes() {
	for word in $1; do
		(cd "$tree" && make --no-print-directory test-built BUILD=build T="$word") >>"$log" 2>&1 </dev/null ||
			return 1
	done
}

killed=0 survived=0 before=

# One mutant, whose tests pass without it.
try_mutant() {
	case " $before " in *" $tests "*) ;; *)
		passes "$tests" || { echo "$tests: fails without any mutant: $log"; exit 1; }
		before="$before $tests" ;;
	esac
	cp "$file" "$tree/$file.whole"
	outcome=survived
	if ! replace "$tree/$file" "$from" "$to"; then
		outcome='out of date'
	elif ! (cd "$tree" && make --no-print-directory BUILD=build build/tapcut) >>"$log" 2>&1 </dev/null; then
		outcome='no program'
	elif ! passes "$tests"; then
		outcome=killed
	fi
	mv "$tree/$file.whole" "$tree/$file"
	touch "$tree/$file"
	printf '%-12s %s: %s\n' "$outcome" "$file" "$bug"
	if [ "$outcome" = killed ]; then killed=$((killed + 1)); else survived=$((survived + 1)); fi
}

file=
while IFS= read -r line || [ -n "$line" ]; do
	value=${line#* }
	case $line in
	"#"*) ;;
	"file "*) file=$value ;;
	"bug "*) bug=$value ;;
	"tests "*) tests=$value ;;
	"from "*) from=$value ;;
	"to "*) to=$value ;;
	to) to= ;;
	"") case "$file $tests $bug" in " "*) ;; *"${M:-}"*) try_mutant ;; esac
		file= ;;
	esac
done <"$here/mutants.txt"
echo "$killed killed, $survived survived"
[ "$survived" -eq 0 ]
