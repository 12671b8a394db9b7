#!/bin/sh
# Makes docs/before_after.jpg: one tap on each of the photos that CREDITS.md names and on ten objects of clicks/val,
# with two weights files, one above the other. The ten are not chosen by how well they come out: they are every
# twentieth object.
#
#	docs/before_after.sh PHOTOS VAL.json OLD.tapcut NEW.tapcut        Needs netpbm and python3.
set -e
photos=${1:?usage: docs/before_after.sh PHOTOS VAL.json OLD.tapcut NEW.tapcut} val=$2 old=$3 new=$4
tapcut=${TAPCUT:-build/tapcut}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$tapcut" eval --model "$new" --coco "$val" --limit 200 --max-clicks 1 --objects "$dir/objects.json" --quiet >/dev/null
cat >"$dir/taps" <<TAPS
$photos/astronaut.jpg 200,300
$photos/coffee.jpg 300,180
$photos/chelsea.jpg 200,150
$photos/rocket.jpg 320,300
TAPS
python3 - "$dir/objects.json" "$(dirname "$val")/images" >>"$dir/taps" <<'PYTHON'
import json, sys
for item in json.load(open(sys.argv[1]))[10::20][:10]:
    x, y = item["clicks"][0][:2]
    print(f'{sys.argv[2]}/{item["photo"]} {x},{y}')
PYTHON

# NAME.pnm: the overlay of a tap, 180 x 180 pixels on white.
panel() {
	"$tapcut" cut "$1" --tap "$2" --model "$3" --overlay "$dir/o.png" --mask "$dir/m.png" --quiet || true
	pngtopnm "$dir/o.png" | pnmscale -quiet -xysize 176 176 | pnmpad -quiet -white -width 180 -height 180 >"$4"
}
n=0
while read -r photo tap; do
	n=$((n + 1))
	k=$(printf %02d "$n")
	panel "$photo" "$tap" "$old" "$dir/a.pnm"
	panel "$photo" "$tap" "$new" "$dir/b.pnm"
	pnmcat -quiet -tb "$dir/a.pnm" "$dir/b.pnm" >"$dir/pair-$k.pnm"
done <"$dir/taps"
pnmcat -quiet -lr "$dir"/pair-0[1-7].pnm >"$dir/row1.pnm"
pnmcat -quiet -lr "$dir"/pair-0[89].pnm "$dir"/pair-1[0-4].pnm >"$dir/row2.pnm"
pnmcat -quiet -tb "$dir/row1.pnm" "$dir/row2.pnm" | pnmtojpeg -quiet -optimize -quality 84 >docs/before_after.jpg
echo "docs/before_after.jpg: $(wc -c <docs/before_after.jpg) bytes"
