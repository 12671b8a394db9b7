#!/bin/sh
# chroot.sh SCENARIO...: `make demo` on machines that have nothing yet: a minimal Debian (debootstrap), made afresh.
# Needs root, debootstrap and the packages of Debian's servers. Prints how each ended and how long it took; fails if one
# does.
#
#	bare   a shell and apt-get: tools/install-deps.sh installs the rest
#	trap   gcc and the reference BLAS (libblas-dev: a cblas.h that is no OpenBLAS) were there before
#	guest  another user, from a tree that he cannot write, whose path has spaces, with BUILD= elsewhere
#	clang  clang is there, and no gcc
#
# SUITE names another release (default bookworm), DEMO_STEPS= shortens the training, CFLAGS= the compilation,
# SETUP_BASE= is a folder that debootstrap has filled before, SETUP_WORK= where machines are made (default: a temporary
# folder).
set -eu
cd "$(dirname "$0")/../.."
suite=${SUITE:-bookworm}
work=${SETUP_WORK:-$(mktemp -d)}
base=${SETUP_BASE:-$work/base}
flags=${CFLAGS:--O2}
export DEMO_STEPS="${DEMO_STEPS:-}" LC_ALL=C
[ -n "${SETUP_WORK:-}" ] || trap 'rm -rf --one-file-system "$work"' EXIT

[ -d "$base/usr" ] || debootstrap --variant=minbase "$suite" "$base" >"$work/debootstrap.log" 2>&1

# A machine of that name, with the project in it.
machine() {
	root=$work/$1
	tree="$root/srv/odd place/tapcut"
	rm -rf --one-file-system "$root"
	cp -a "$base" "$root"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
	mkdir -p "$tree"
	tar -c --exclude=./build --exclude=./runs --exclude=./demo --exclude=./.git . | tar -x -C "$tree"
	chmod -R go-w,a+rX "$root/srv"
}

# inside COMMAND: as root, in the project; with /proc and /dev of its own mount namespace, gone when it ends.
inside() {
	unshare --mount --pid --fork sh -eu -c '
		mount --make-rprivate /
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
			DEMO_STEPS="$DEMO_STEPS" DEBIAN_FRONTEND=noninteractive \
			sh -euc "cd \"/srv/odd place/tapcut\" && $2"' sh "$root" "$1"
}

get() {
	inside "apt-get update -q && apt-get install -y -q --no-install-recommends $*"
}

bare() {
	machine bare
	inside "tools/install-deps.sh build && make demo CFLAGS=$flags"
}

trap_() {
	machine trap
	get make gcc libc6-dev libblas-dev
	inside "make demo CFLAGS=$flags"
}

guest() {
	machine guest
	inside "tools/install-deps.sh build"
	as="setpriv --reuid=12345 --regid=12345 --clear-groups env HOME=/nonexistent"
	inside "exec $as make demo BUILD=/tmp/guest CFLAGS=$flags"
}

clang() {
	machine clang
	get make clang binutils libc6-dev
	inside "tools/install-deps.sh build && ! command -v gcc && make demo CFLAGS=$flags"
}

failed=0
for scenario in "$@"; do
	start=$(date +%s)
	name=$scenario
	[ "$scenario" != trap ] || scenario=trap_
	if ("$scenario") >"$work/$name.log" 2>&1; then
		grep -nE 'jobserver|No such file' "$work/$name.log" | sed 's/^/  noise: /' || true
		echo "  $(grep -c 'warning:' "$work/$name.log" || true) warnings of the compiler"
		echo "$name: ok, $(($(date +%s) - start)) s: $(tail -1 "$work/$name.log")"
	else
		echo "$name: failed after $(($(date +%s) - start)) s:"
		tail -20 "$work/$name.log"
		failed=1
	fi
	rm -rf --one-file-system "${work:?}/$name"
done
exit "$failed"
