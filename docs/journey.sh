#!/bin/sh
# Measures the road that led here: each step of it trained on the same photos with the same number of samples, measured
# by the same robot. Writes docs/journey-table.md and docs/journey.jpg (one photo, one tap, every step).
#
#	STEPS=3000 LIMIT=200 FULL=1 docs/journey.sh [DATA]       DATA: ../shared/data       Needs netpbm.
#
# STEPS: training steps of each network, 8 samples each, crops of 192 pixels. LIMIT: objects of clicks/val. FULL=1: also
# the published FCN-8s of 134 million parameters, for its bytes and times, not trained (4 GB of memory). Runs are kept
# in runs/journey and go on where they were stopped.
set -e
data=${1:-../shared/data}
tapcut=${TAPCUT:-build/tapcut}
steps=${STEPS:-3000} limit=${LIMIT:-200} size=${SIZE:-192}
runs=${RUNS:-runs/journey}
photo=${PHOTO:-$data/../photos/chelsea.jpg} tap=${TAP:-200,150}
threads=$(nproc)
mkdir -p "$runs"
table=$runs/table.md
figures='NoC@85, @90 | mIoU@1 | BIoU@1'
{
	printf '%s' "| | parameters | bytes, float and 8 bits | M multiply-adds | ms per tap | peak MB |"
	printf '%s\n' " GrabCut $figures | \`clicks/val\` $figures | samples |"
	echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|'
} >"$table"

# The number of a key in a JSON text on standard input.
number() { tr -d '\n' | sed -n "s/.*\"$1\": *\([-0-9.]*\).*/\1/p"; }
rounded() { printf "%.$2f" "${1:-0}"; }
percent() { awk -v x="${1:-0}" 'BEGIN { printf "%.1f", 100 * x }'; }

# Figures of `tapcut eval --json`: NoC, mIoU@1, BIoU@1 as columns.
columns() {
	json=$(cat)
	printf '%s, %s | %s | %s' "$(rounded "$(echo "$json" | number noc85)" 2)" \
		"$(rounded "$(echo "$json" | number noc90)" 2)" "$(percent "$(echo "$json" | number miou1)")" \
		"$(percent "$(echo "$json" | number biou1)")"
}

# Peak memory of one tap on the photo, in MB, and its overlay.
peak() {
	/usr/bin/time -f %M -o "$runs/memory" "$tapcut" cut "$photo" --tap "$tap" --quiet --mask "$runs/mask.png" \
		--overlay "$runs/$1.png" --model "$2" >/dev/null 2>&1 || true
	awk 'END { printf "%.0f", $1 / 1024 }' "$runs/memory"
}

# rung NAME WORDS MODEL BYTES8 SAMPLES MACS [OPTIONS OF EVAL...]: a row of the table.
rung() {
	name=$1 words=$2 model=$3 bytes8=$4 samples=$5 macs=$6
	shift 6
	echo "$words: measuring"
	grabcut=$("$tapcut" eval --json --model "$model" --pairs "$data/grabcut/pairs.json" --threads "$threads" "$@")
	val=$("$tapcut" eval --json --model "$model" --coco "$data/clicks/val/instances.json" --limit "$limit" \
		--threads "$threads" "$@")
	once=$("$tapcut" eval --json --model "$model" --pairs "$data/grabcut/pairs.json" --limit 10 "$@")
	info=$("$tapcut" inspect --json "$model")
	{
		printf '| %s | %s | ' "$words" "$(echo "$info" | number parameters)"
		printf '%s, %s | %s | ' "$(echo "$info" | number bytes)" "$bytes8" "$macs"
		printf '%s | %s | ' "$(rounded "$(echo "$once" | number ms_per_click)" 1)" "$(peak "$name" "$model")"
		printf '%s | %s | %s |\n' "$(echo "$grabcut" | columns)" "$(echo "$val" | columns)" "$samples"
	} >>"$table"
	tail -1 "$table"
}

# learn NAME WORDS CONFIG [OPTIONS OF TRAIN...]: trains it and gives its row.
learn() {
	name=$1 words=$2 config=$3
	shift 3
	out=$runs/$name
	[ -e "$out/final.tapcut" ] || "$tapcut" train "$config" --out "$out" --resume auto --threads "$threads" \
		--set train.steps="$steps" --set train.batch_size=8 --set train.size="$size" --set eval.every=0 \
		--set data.val= --set data.train="$data/clicks/train/instances.json" "$@" 2>"$out.log" || {
		tail -3 "$out.log"
		return 1
	}
	macs=$(sed -n 's/.*, \([0-9]*\) M multiply-adds forward.*/\1/p' "$out.log" "$out/macs" 2>/dev/null | tail -1)
	[ -e "$out/macs" ] || echo ", $macs M multiply-adds forward" >"$out/macs"
	"$tapcut" export "$out/last.ckpt" -o "$out/int8.tapcut" --weights int8 --quiet
	rung "$name" "$words" "$out/final.tapcut" "$(wc -c <"$out/int8.tapcut")" $((8 * steps)) "$macs"
}

trunk=$data/weights/squeezenet_v1_1_imagenet.safetensors
squeezenet="--set init.weights= --set init.trunk=$trunk"
learn labels 'labels, a region, graph cut' configs/labels.json $squeezenet
learn fcn8s 'FCN-8s, a quarter of its width, from random weights' configs/dios.json
learn transposed 'SqueezeNet, transposed convolution' configs/coarse.json $squeezenet
learn sharpmask '+ SharpMask as published' configs/sharpmask.json $squeezenet
learn light '+ light SharpMask' configs/baseline.json $squeezenet
rung released 'the released model' infer/models/base.tapcut "$(wc -c <infer/models/base.tapcut)" \
	"$(number samples <infer/models/base.json)" -
rung graphcut 'graph cut alone, no network' infer/models/base.tapcut - - - --baseline graph-cut
if [ "${FULL:-}" = 1 ]; then
	[ -e "$runs/full/final.tapcut" ] || "$tapcut" train configs/dios.json --out "$runs/full" --threads 1 \
		--set model.trunk_width=1 --set train.steps=1 --set train.batch_size=1 --set train.size=384 \
		--set eval.every=0 --set data.val= --set data.train="$data/clicks/train/instances.json" \
		2>"$runs/full.log"
	bytes=$(wc -c <"$runs/full/final.tapcut")
	echo "FCN-8s in full: $bytes bytes, $(peak full "$runs/full/final.tapcut") MB for a tap" | tee -a "$table"
fi
cp "$table" docs/journey-table.md
for step in labels fcn8s transposed sharpmask light released; do
	pngtopnm "$runs/$step.png" | pnmscale -quiet -xysize 240 240 >"$runs/$step.pnm"
done
pnmcat -quiet -lr "$runs/labels.pnm" "$runs/fcn8s.pnm" "$runs/transposed.pnm" >"$runs/row1.pnm"
pnmcat -quiet -lr "$runs/sharpmask.pnm" "$runs/light.pnm" "$runs/released.pnm" >"$runs/row2.pnm"
pnmcat -quiet -tb "$runs/row1.pnm" "$runs/row2.pnm" | pnmtojpeg -quiet -optimize -quality 85 >docs/journey.jpg
