#!/bin/sh
# install-deps.sh [build]: installs what tapcut needs on Debian and Ubuntu, where tools/configure.sh finds it missing;
# with "build", only what the program needs, without the tests. Says nothing when all is there. Where it cannot install
# it ends with 1 and the list of packages, with the command that installs them. MPI=1: Open MPI too.
set -eu
cd "$(dirname "$0")/.."
groups=${1:-build tests option}

# Lines "GROUP PACKAGE WHAT" of these groups.
look() {
	tools/configure.sh missing | while read -r group rest; do
		case " $groups " in
		*" $group "*) echo "$group $rest" ;;
		esac
	done
}

# refuse REASON: what is needed, and how to get it. What tests can do without is no reason to stop.
refuse() {
	{
		echo "$1"
		echo "$lines" | sed 's/^[^ ]* \([^ ]*\) \(.*\)/  \1: \2/'
		echo "tapcut needs these packages (Debian's and Ubuntu's names); install them as root:"
		echo "  apt-get install $packages"
	} >&2
	echo "$lines" | grep -qv '^option ' || exit 0
	exit 1
}

lines=$(look)
[ -n "$lines" ] || exit 0
packages=$(echo "$lines" | awk '$2 != "-" { print $2 }' | tr '\n' ' ' | sed 's/ $//')
if echo "$lines" | grep -q '^build - '; then
	echo "$(echo "$lines" | sed -n 's/^build - //p') is not here: make CC=gcc or CC=clang, or install it" >&2
	exit 1
fi
command -v apt-get >/dev/null 2>&1 || refuse "apt-get is not here, so nothing was installed. Missing:"
sudo=""
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 ||
		refuse "You are not root and sudo is not here, so nothing was installed. Missing:"
	sudo=sudo
fi
echo "installing: $packages"
$sudo apt-get update -q || refuse "apt-get update failed, so nothing was installed. Missing:"
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages ||
	refuse "apt-get could not install all of them. Missing before:"
lines=$(look)
[ -z "$lines" ] || refuse "These were installed, but what they have is not what tapcut needs:"
