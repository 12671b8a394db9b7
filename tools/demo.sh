#!/bin/sh
# `make demo`: generated scenes, two minutes of training, figures before and after, one object cut out of a picture that
# was never seen. Everything lands in demo/ (DEMO=... for another folder).
set -eu
tapcut=${TAPCUT:-build/tapcut}
demo=${DEMO:-demo}
short=${DEMO_STEPS:+--steps $DEMO_STEPS --set optim.warmup_steps=0} # for tests: fewer steps than configs/demo.json has
mkdir -p "$demo"

echo "1/5  generating scenes"
[ -f "$demo/train/instances.json" ] || "$tapcut" scenes --out "$demo/train" --count 600 --seed 1
[ -f "$demo/val/instances.json" ] || "$tapcut" scenes --out "$demo/val" --count 40 --seed 2

echo "2/5  the untrained network, for comparison"
"$tapcut" train configs/demo.json --set data.train="$demo/train/instances.json" --set data.val= \
	--out "$demo/untrained" --steps 1 --set optim.warmup_steps=0 --force \
	2>"$demo/untrained.log" || { cat "$demo/untrained.log"; exit 1; }
"$tapcut" eval --model "$demo/untrained/final.tapcut" --coco "$demo/val/instances.json" --limit 60 >"$demo/before.txt"

echo "3/5  training, about two minutes"
# shellcheck disable=SC2086
"$tapcut" train configs/demo.json --set data.train="$demo/train/instances.json" \
	--set data.val="$demo/val/instances.json" --out "$demo/run" --force $short

echo "4/5  exporting and evaluating"
"$tapcut" export "$demo/run/last.ckpt" -o "$demo/demo.tapcut" --weights int8
"$tapcut" eval --model "$demo/demo.tapcut" --coco "$demo/val/instances.json" --limit 60 >"$demo/after.txt"
echo "--- before training"
cat "$demo/before.txt"
echo "--- after training"
cat "$demo/after.txt"

echo "5/5  cutting an object out of a held-out scene with one tap"
# The largest object: name and tap as `tapcut data --list` gives them.
pick=$("$tapcut" data "$demo/val/instances.json" --list | sort -t"$(printf '\t')" -k4,4nr | sed -n 1p)
photo=$demo/val/images/$(echo "$pick" | cut -f2)
tap=$(echo "$pick" | cut -f6)
"$tapcut" cut "$photo" --model "$demo/demo.tapcut" --tap "$tap" --mask "$demo/mask.png" --cutout "$demo/cutout.png" \
	--overlay "$demo/overlay.png"
echo
echo "Look at:  $photo   the scene"
echo "          $demo/overlay.png       the tap and what it selected"
echo "          $demo/cutout.png        the object cut out (transparent background)"
echo "          $demo/run/report.html   curves and sample masks"
