#!/bin/sh
# What each way of storing weights, and of computing with them, costs: one row for each weights file with its bytes, and
# NoC, mIoU and milliseconds per click (of one object at a time) on each data set.
#
#	tools/compare_weights.sh CHECKPOINT|FILE.tapcut...
#
# A checkpoint is exported as f32, f16, int8 and codebooks; weights files are taken as they are. One that runs in 8 bits
# has two rows. PAIRS and COCO name the data (PAIRS= or COCO= leaves one out), LIMIT how many objects of COCO (default
# 200), WEIGHTS the ways to store, OUT a folder that keeps files and figures (default build/compare).
set -eu
tapcut=${TAPCUT:-build/tapcut}
shared=${TAPCUT_SHARED:-../shared}
pairs=${PAIRS-$shared/data/grabcut/pairs.json}
coco=${COCO-$shared/data/clicks/val/instances.json}
limit=${LIMIT:-200}
weights=${WEIGHTS:-f32 f16 int8 codebook256 codebook64 codebook32 codebook16}
out=${OUT:-build/compare}
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$out"

number() { # KEY of one JSON object on stdin
	sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p"
}

figures() { # NAME OPTION...: four columns
	name=$1
	shift
	"$tapcut" eval --json "$@" >"$out/$name.json"
	for key in noc85 noc90 miou1 ms_per_click; do
		printf ' %8.8s' "$(number $key <"$out/$name.json")"
	done
	printf ' '
}

row() { # LABEL MODEL ARITHMETIC OPTION...: OPTIONs of tapcut eval
	label=$1 model=$2 arithmetic=$3
	shift 3
	printf '%-24s %-6s %8d ' "$label" "$arithmetic" "$(wc -c <"$model")"
	[ -z "$pairs" ] || figures "$label.$arithmetic.pairs" --model "$model" --pairs "$pairs" "$@"
	[ -z "$coco" ] || figures "$label.$arithmetic.coco" --model "$model" --coco "$coco" --limit "$limit" "$@"
	echo
}

rows() { # LABEL MODEL
	if "$tapcut" inspect "$2" --json | grep -q '"arithmetic": "int8"'; then
		row "$1" "$2" float --arithmetic float
		row "$1" "$2" int8 --arithmetic int8
	else
		row "$1" "$2" float
	fi
}

printf '%-24s %-6s %8s ' weights runs bytes
for data in ${pairs:+pairs} ${coco:+coco}; do
	printf ' %8s %8s %8s %8s ' "$data:85" NoC@90 mIoU@1 ms/click
done
echo
for file; do
	case $file in
	*.tapcut)
		rows "$(basename "$file" .tapcut)" "$file"
		;;
	*)
		for way in $weights; do
			"$tapcut" export "$file" -o "$out/$way.tapcut" --weights "$way" >"$out/$way.log"
			rows "$way" "$out/$way.tapcut"
		done
		;;
	esac
done
