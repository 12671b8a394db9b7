#!/bin/sh
# `make repro`: one experiment, trained on 1, 2 and 3 threads and through two kill -9 in mid-epoch, gives weights with
# one SHA-256. Slots, augmentation, corrective rounds, moving average and validation are all on. Everything lands in
# build/repro (REPRO=... for another folder); STEPS=... for longer runs. Ends with "repro: one SHA-256", or fails.
set -eu
tapcut=${TAPCUT:-build/tapcut}
dir=${REPRO:-build/repro}
steps=${STEPS:-200}
batch=6

# train NAME OPTION...: becomes the training program, so call it in a subshell; its process is the one to kill.
train() {
	name=$1
	shift
	exec "$tapcut" train configs/smoke.json --steps "$steps" --out "$dir/$name" \
		--set data.train="$dir/train/instances.json" --set data.val="$dir/val/instances.json" --set train.size=48 \
		--set train.batch_size=$batch --set train.slot_size=2 --set clicks.corrective_rounds=2 \
		--set train.checkpoint_every=7 --set eval.every=$((steps / 2)) "$@" >>"$dir/$name.log" 2>&1
}

fail() {
	cat "$dir/$1.log"
	echo "repro: $1: $2"
	exit 1
}

last_step() {
	sed -n 's/.*"step": *\([0-9]*\).*/\1/p' "$dir/$1/log.jsonl" 2>/dev/null | tail -1
}

# kill_at NAME STEP OPTION...: trains until the log has come to STEP, then kill -9.
kill_at() {
	name=$1 at=$2
	shift 2
	train "$name" "$@" &
	process=$!
	now=0
	while [ "${now:-0}" -lt "$at" ]; do
		kill -0 "$process" 2>/dev/null || fail "$name" "ended before step $at"
		sleep 0.02
		now=$(last_step "$name")
	done
	kill -9 "$process" || fail "$name" "ended before it could be killed"
	wait "$process" 2>/dev/null || true
	[ ! -f "$dir/$name/final.tapcut" ] || fail "$name" "was finished before it was killed"
	killed="$killed $(last_step "$name")"
}

rm -rf "$dir"
mkdir -p "$dir"
"$tapcut" scenes --out "$dir/train" --count 40 --seed 1 --width 160 --height 120 >"$dir/scenes.log"
"$tapcut" scenes --out "$dir/val" --count 4 --seed 2 --width 160 --height 120 >>"$dir/scenes.log"
echo "$steps steps of $batch samples in slots of 2, up to 2 corrective rounds, on $(nproc) processors"

for threads in 1 2 3; do
	(train "threads$threads" --threads $threads) || fail "threads$threads" "failed"
done
killed=""
kill_at killed $((steps * 2 / 5)) --threads 2
kill_at killed $((steps * 3 / 4)) --threads 3 --resume auto
(train killed --threads 1 --resume auto) || fail killed "failed"

printf '%-44s %s\n' run "SHA-256 of final.tapcut"
row() {
	printf '%-44s %s\n' "$2" "$(sha256sum <"$dir/$1/final.tapcut" | cut -d' ' -f1)"
}
for threads in 1 2 3; do
	row threads$threads "--threads $threads"
done
row killed "kill -9 after step$(echo "$killed" | sed 's/^ *\([0-9]*\) /\ \1, /'); threads 2, 3, 1"

different=$(sha256sum "$dir"/*/final.tapcut | cut -d' ' -f1 | sort -u | wc -l)
if [ "$different" -ne 1 ]; then
	echo "repro: $different different SHA-256"
	exit 1
fi
echo "repro: one SHA-256"
