#!/bin/sh
# `make repro`: one experiment, trained in many ways, gives weights with one SHA-256: --threads 1, 2, 3, 4, 8 and 1
# to 4 ranks with every instruction set that this processor has, ranks with different sets, and a run that is killed
# (kill -9) at three random steps and continued with other sets, threads and ranks. Slots of two samples,
# augmentation, corrective rounds, moving average and validation are on. The generic kernels are slow and take part
# in a shorter run. Everything lands in build/repro (REPRO=... for another folder); STEPS=... for longer runs,
# SEED=... for the steps of an earlier run. Ends with "repro: one SHA-256", or fails.
set -eu
tapcut=${TAPCUT:-build/tapcut}
mpi_tapcut=${MPI_TAPCUT:-build/mpi/tapcut}
dir=${REPRO:-build/repro}
steps=${STEPS:-200}
short=$((steps / 10))
seed=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
batch=10 slot=2
unset TAPCUT_ISA
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # mpirun runs as root only when told

fail() {
	cat "$dir/$1.log"
	echo "repro: $1: $2"
	exit 1
}

# --- one run -------------------------------------------------------------------------------------------------------

# arguments NAME OPTION...: of tapcut train, one per line.
arguments() {
	name=$1
	shift
	printf '%s\n' train configs/smoke.json --steps "$steps" --out "$dir/$name" \
		--set data.train="$dir/train/instances.json" --set data.val="$dir/val/instances.json" \
		--set train.size=48 --set train.batch_size=$batch --set train.slot_size=$slot \
		--set clicks.corrective_rounds=2 --set train.checkpoint_every=7 --set eval.every=$((steps / 2)) "$@"
}

# train ISA[,ISA...] RANKS NAME OPTION...: becomes the training program or its launcher, so call it in a subshell;
# its process is the one to kill. With several sets the first rank has the first one, all others the second.
train() {
	isa=${1%%,*} others=${1#*,} ranks=$2
	shift 2
	name=$1
	list=$(arguments "$@")
	IFS='
'
	# shellcheck disable=SC2086
	set -- $list
	exec >>"$dir/$name.log" 2>&1
	if [ "$ranks" -eq 0 ]; then
		export TAPCUT_ISA="$isa"
		exec "$tapcut" "$@"
	elif [ "$ranks" -eq 1 ]; then
		exec mpirun -np 1 -x TAPCUT_ISA="$isa" "$mpi_tapcut" "$@"
	fi
	exec mpirun --oversubscribe --bind-to none -np 1 -x TAPCUT_ISA="$isa" "$mpi_tapcut" "$@" : \
		-np $((ranks - 1)) -x TAPCUT_ISA="$others" "$mpi_tapcut" "$@"
}

# row ISA RANKS NAME: what was trained, and its digest, which is kept for the verdict.
row() {
	sum=$(sha256sum <"$dir/$3/final.tapcut" | cut -d' ' -f1)
	echo "$sum" >>"$dir/$steps.sums"
	ranks=$2
	[ "$2" -ne 0 ] || ranks="-"
	printf '%-15s %5s  %-34s %s\n' "$1" "$ranks" "$4" "$sum"
}

# check ISA RANKS THREADS: trains in this way from beginning to end. RANKS 0: one process of the build without MPI.
check() {
	name="$steps-$(echo "$1" | tr , -)-$2-$3"
	(train "$1" "$2" "$name" --threads "$3") || fail "$name" "failed"
	grep -q "core ${1%%,*}" "$dir/$name.log" || fail "$name" "did not use the kernels of ${1%%,*}"
	row "$1" "$2" "$name" "--threads $3"
}

# --- kills ---------------------------------------------------------------------------------------------------------

last_step() {
	sed -n 's/.*"step": *\([0-9]*\).*/\1/p' "$dir/$1/log.jsonl" 2>/dev/null | tail -1
}

# kill_at STEP ISA RANKS THREADS: goes on with the run "killed" until the log has come to STEP, then kill -9 of the
# process, or of the last rank.
kill_at() {
	at=$1
	(train "$2" "$3" killed --threads "$4" --resume auto) &
	process=$!
	now=0
	while [ "${now:-0}" -lt "$at" ]; do
		kill -0 "$process" 2>/dev/null || fail killed "ended before step $at"
		sleep 0.02
		now=$(last_step killed)
	done
	victim=$process
	[ "$3" -eq 0 ] || victim=$(tr ' ' '\n' <"/proc/$process/task/$process/children" | grep . | tail -1)
	kill -9 "$victim" || fail killed "ended before it could be killed"
	if wait "$process" 2>/dev/null; then fail killed "ended well although it was killed"; fi
	[ ! -f "$dir/killed/final.tapcut" ] || fail killed "was finished before it was killed"
	killed="$killed $(last_step killed)"
}

# random_step FROM TO NUMBER: the same for the same seed.
random_step() {
	awk -v seed="$seed" -v from="$1" -v to="$2" -v number="$3" \
		'BEGIN { srand(seed + 7919 * number); rand(); print from + int(rand() * (to - from)) }'
}

# --- the matrix ----------------------------------------------------------------------------------------------------

sets="generic"
if grep -qw avx2 /proc/cpuinfo; then sets="avx2"; fi
if grep -qw avx512bw /proc/cpuinfo; then sets="avx2 avx512"; fi
first=${sets%% *} best=${sets##* }
with_mpi=""
if [ -x "$mpi_tapcut" ] && command -v mpirun >/dev/null 2>&1; then with_mpi=yes; fi

rm -rf "$dir"
mkdir -p "$dir"
"$tapcut" scenes --out "$dir/train" --count 40 --seed 1 --width 160 --height 120 >"$dir/scenes.log"
"$tapcut" scenes --out "$dir/val" --count 4 --seed 2 --width 160 --height 120 >>"$dir/scenes.log"
start=$(date +%s)
echo "$steps steps of $batch samples in slots of $slot, up to 2 corrective rounds, on $(nproc) processors; SEED=$seed"
[ -n "$with_mpi" ] || echo "ranks are left out: no MPI build or no mpirun (make deps MPI=1, then make MPI=1)"
printf '%-15s %5s  %-34s %s\n' kernels ranks "" "SHA-256 of final.tapcut"

for isa in $sets; do
	for threads in 1 2 3 4 8; do
		check "$isa" 0 $threads
	done
	for ranks in ${with_mpi:+1 2 3 4}; do
		check "$isa" "$ranks" 1
	done
done
if [ -n "$with_mpi" ]; then
	check "$best,$first" 2 2
	check "$first,$best" 3 3
fi

killed=""
third=$((steps / 3))
kill_at "$(random_step 5 $((third - 5)) 1)" "$best" 0 3
if [ -n "$with_mpi" ]; then
	kill_at "$(random_step $third $((2 * third - 5)) 2)" "$first" 3 1
	kill_at "$(random_step $((2 * third)) $((steps - 5)) 3)" "$best,$first" 2 2
	(train "$best" 4 killed --threads 1 --resume auto) || fail killed "failed"
else
	kill_at "$(random_step $third $((2 * third - 5)) 2)" "$first" 0 1
	kill_at "$(random_step $((2 * third)) $((steps - 5)) 3)" "$best" 0 2
	(train "$first" 0 killed --threads 4 --resume auto) || fail killed "failed"
fi
row mixed 0 killed "kill -9 after steps$killed"

echo "$short steps:"
long=$steps steps=$short
check generic 0 2
[ "$best" = generic ] || check "$best" 0 1
[ -z "$with_mpi" ] || check "generic,$best" 3 1

for length in "$long" "$short"; do
	different=$(sort -u "$dir/$length.sums" | wc -l)
	if [ "$different" -ne 1 ]; then
		echo "repro: $different different SHA-256 after $length steps"
		exit 1
	fi
done
echo "$(cat "$dir"/*.sums | wc -l) runs in $(($(date +%s) - start)) s"
echo "repro: one SHA-256"
