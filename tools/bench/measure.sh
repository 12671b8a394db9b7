#!/bin/sh
# `make bench`: the figures that speed work starts from, on this machine and as it is now: samples per second of
# training at 256x256 on 1 and 2 threads, milliseconds per photo and per click of inference at 512x512, peak memory of
# both. The network is that of configs/baseline.json from random weights (what weights are does not matter to speed),
# the photos are generated. Runs alternate, so that a machine that grows hot or busy spoils all alike; figures are
# medians. REPEATS=5 STEPS=20 BENCH=build/bench to change.
set -eu
build=${BUILD:-build}
tapcut=${TAPCUT:-$build/tapcut}
dir=${BENCH:-$build/bench/runs}
repeats=${REPEATS:-3}
steps=${STEPS:-16}
unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS OMP_NUM_THREADS GOTO_NUM_THREADS

median() {
	sort -n | awk '{ v[NR] = $1 } END { printf "%.2f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# field NAME: the numbers of a key in JSON lines.
field() {
	sed -n "s/.*\"$1\": *\([-0-9.e+]*\).*/\1/p"
}

# train THREADS ROUNDS: one run; its samples per second (the first interval warms up) and peak memory go to the lists.
train() {
	run="$dir/train"
	"$build/bench/peak" "$dir/peak" "$tapcut" train configs/baseline.json --steps "$steps" --threads "$1" \
		--out "$run" --force \
		--set init.trunk= --set data.train="$dir/scenes/instances.json" --set data.val= --set train.log_every=4 \
		--set clicks.corrective_rounds="$2" --set optim.warmup_steps=1 >"$dir/train.log" 2>&1 ||
		{ cat "$dir/train.log"; exit 1; }
	grep samples_per_s "$run/log.jsonl" | field samples_per_s | tail -n +2 | median >>"$dir/speed.$1.$2"
	echo >>"$dir/speed.$1.$2"
	awk '{ print $2 / 1024 }' "$dir/peak" >>"$dir/memory.$1.$2"
}

infer() {
	"$build/bench/bench_infer" "$dir/$1.tapcut" 512 9 >>"$dir/infer.$1"
}

rm -rf "$dir"
mkdir -p "$dir"
"$tapcut" scenes --out "$dir/scenes" --count 60 --seed 1 --width 640 --height 480 >"$dir/scenes.log" 2>&1
train 1 0
for kind in f32 f16 int8; do
	"$tapcut" export "$dir/train/last.ckpt" -o "$dir/$kind.tapcut" --weights $kind >/dev/null
done
rm -f "$dir"/speed.* "$dir"/memory.*

# What others leave of the processors, in percent, over two seconds in which nothing of ours runs.
idle() {
	head -1 /proc/stat
	sleep 2
	head -1 /proc/stat
}
free=$(idle | awk '{ t = 0; for (i = 2; i <= NF; i++) t += $i } NR == 2 { printf "%d", 100 * ($5 - i0) / (t - t0) }
	{ i0 = $5; t0 = t }')

i=0
while [ $i -lt "$repeats" ]; do
	for rounds in 2 0; do
		train 1 $rounds
		train 2 $rounds
	done
	for kind in f32 f16 int8; do
		infer $kind
	done
	i=$((i + 1))
done

echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors, $free % idle before"
[ "$free" -ge 90 ] || echo "machine is busy: the times below are not its own"
echo "BLAS core: $(sed -n 's/.*, core \([A-Za-z0-9_]*\).*/\1/p' "$dir/train.log" | head -1)"
echo "medians of $repeats alternating runs; training: $steps steps of 8 samples"
echo
echo "training at 256x256 (configs/baseline.json)    samples/s   peak MiB"
for rounds in 2 0; do
	for threads in 1 2; do
		printf '  --threads %d, corrective rounds 0 to %d %14s %10s\n' $threads $rounds \
			"$(median <"$dir/speed.$threads.$rounds")" "$(median <"$dir/memory.$threads.$rounds")"
	done
done
echo
printf '%-30s %12s %12s %12s %12s %12s %12s %12s\n' "inference at 512x512, 1 thread" "set_image ms" "click 1 ms" \
	"click 2 ms" "load ms" "session MiB" "peak MiB" "file bytes"
for kind in f32 f16 int8; do
	printf '  %-28s' $kind
	for name in set_image_ms click1_ms click2_ms load_ms session_mib peak_mib; do
		printf ' %12s' "$(field $name <"$dir/infer.$kind" | median)"
	done
	printf ' %12s\n' "$(stat -c %s "$dir/$kind.tapcut")"
done
