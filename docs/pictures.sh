#!/bin/sh
# Makes the pictures of README.md and docs/edits.md from the photos that CREDITS.md names, with the program of this
# build.
#
#	docs/pictures.sh FOLDER    where astronaut.jpg and coffee.jpg are. Needs netpbm.
set -e
photos=${1:?usage: docs/pictures.sh FOLDER (with astronaut.jpg and coffee.jpg)}
tapcut=${TAPCUT:-build/tapcut}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# NAME.pnm, 300 pixels high, from a PNG or JPEG file; transparent parts white.
panel() {
	case $1 in
	*.png) pngtopnm -mix -background=white "$1" ;;
	*) jpegtopnm -quiet "$1" ;;
	esac | pnmscale -quiet -ysize 300 >"${1%.*}.pnm"
}

# A picture of panels side by side.
picture() {
	to=$1
	shift
	for f; do panel "$dir/$f"; set -- "$@" "$dir/${f%.*}.pnm"; shift; done
	pnmcat -quiet -lr "$@" | pnmtojpeg -quiet -optimize -quality 82 >"$to"
	echo "$to: $(wc -c <"$to") bytes"
}

person="$photos/astronaut.jpg --tap 200,300"
cup="$photos/coffee.jpg --tap 300,180"
table="--not 100,100 --not 90,330"

"$tapcut" cut $person --overlay "$dir/1.png" --cutout "$dir/2.png"
"$tapcut" cut $cup --overlay "$dir/3.png" --mask "$dir/m.png"
"$tapcut" cut $cup $table --overlay "$dir/4.png" --mask "$dir/m.png"
picture docs/cutout.jpg 1.png 2.png 3.png 4.png

"$tapcut" edit $person --focus blur=14 -o "$dir/5.jpg"
"$tapcut" edit $person --filter colour_pop --filter vignette -o "$dir/6.jpg"
"$tapcut" edit $cup $table --filter hue=0.6 --filter clarity -o "$dir/7.jpg"
picture docs/edits.jpg 5.jpg 6.jpg 7.jpg
