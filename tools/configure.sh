#!/bin/sh
# What this machine has for the build: the compiler, and the libraries.
#
#	tools/configure.sh write FILE      FILE, for make: what was found. Written anew only where that changed.
#	tools/configure.sh missing         a line "GROUP PACKAGE WHAT" for each thing that is not here; nothing: all is
#
# A library is here when a program that includes its header, calls what is special about it and links, runs: a header of
# that name may belong to another library, lie there without the library, or be too old. CC in the environment names the
# compiler; else it is gcc, or clang where there is no gcc.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- the table: one row a library ----------------------------------------------------------------------------------

# build: needed; extra: the program has more where it is (HAVE_NAME is defined); tests: needed by them; option: tests
# that compare with it are skipped without it
# name     group  Debian's and Ubuntu's package  pkg-config's name  flags where pkg-config knows none
rows='
cjson      build  libcjson-dev                   libcjson           -lcjson
lcms       build  liblcms2-dev                   lcms2              -llcms2
png        build  libpng-dev                     libpng             -lpng
jpeg       build  libjpeg-dev                    libjpeg            -ljpeg
zlib       build  zlib1g-dev                     zlib               -lz
sqlite     extra  libsqlite3-dev                 sqlite3            -lsqlite3
webp       extra  libwebp-dev                    libwebp            -lwebp
check      tests  check                          check              -lcheck -lsubunit -lrt -lm -pthread
openblas   option libopenblas0-pthread           -                  -ldl
'

# What it is called in a message.
what() {
	case $1 in
	cjson) echo "cJSON 1.7.13 or later (cjson/cJSON.h)" ;;
	lcms) echo "little-cms 2 (lcms2.h)" ;;
	png) echo "libpng 1.5.4 or later (png.h)" ;;
	jpeg) echo "libjpeg-turbo 2.0 or later (jpeglib.h)" ;;
	zlib) echo "zlib 1.2.9 or later (zlib.h)" ;;
	sqlite) echo "SQLite 3, for the database of a sweep's report (sqlite3.h)" ;;
	webp) echo "libwebp, to read WebP photos (webp/decode.h)" ;;
	check) echo "Check, for the tests (check.h)" ;;
	openblas) echo "OpenBLAS, for tests that compare with it" ;;
	esac
}

# A program that ends with 0 where the library does what tapcut asks of it.
program() {
	case $1 in
	cjson)
		cat <<-'C'
			#include <cjson/cJSON.h>
			int main(void)
			{
				const char *end = 0;
				cJSON *tree = cJSON_ParseWithLengthOpts("[1]", 3, &end, 0);
				cJSON_bool added = tree && cJSON_AddItemToArray(tree, cJSON_CreateNumber(2));
				return !added || cJSON_GetArraySize(tree) != 2;
			}
		C
		;;
	lcms)
		cat <<-'C'
			#include <lcms2.h>
			int main(void)
			{
				cmsContext context = cmsCreateContext(0, 0);
				cmsHPROFILE srgb = context ? cmsCreate_sRGBProfileTHR(context) : 0;
				return !srgb || cmsGetColorSpace(srgb) != cmsSigRgbData;
			}
		C
		;;
	png)
		cat <<-'C'
			#include <png.h>
			int main(void)
			{
				png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, 0, 0, 0);
				if (!png)
					return 1;
				png_set_scale_16(png);
				png_set_benign_errors(png, 1);
				png_set_chunk_malloc_max(png, 1000000);
				return png_access_version_number() / 10000 != PNG_LIBPNG_VER / 10000;
			}
		C
		;;
	jpeg) # jpeg_create_decompress ends the program where header and library differ
		cat <<-'C'
			#include <stdio.h>
			#include <jpeglib.h>
			int main(void)
			{
				static unsigned char bytes[4] = {0xff, 0xd8, 0xff, 0xd9};
				struct jpeg_decompress_struct info;
				struct jpeg_error_mgr errors;
				JOCTET *profile = 0;
				unsigned size = 0;
				info.err = jpeg_std_error(&errors);
				jpeg_create_decompress(&info);
				jpeg_mem_src(&info, bytes, sizeof bytes);
				info.out_color_space = JCS_EXT_RGBA;
				if (size == 1)
					jpeg_read_icc_profile(&info, &profile, &size);
				jpeg_destroy_decompress(&info);
				return 0;
			}
		C
		;;
	zlib)
		cat <<-'C'
			#include <zlib.h>
			int main(void)
			{
				unsigned char packed[64], plain[8];
				uLongf size = sizeof packed, back = sizeof plain;
				if (compress2(packed, &size, (const unsigned char *)"tapcut", 7, 9) != Z_OK)
					return 1;
				uLong read = size;
				return uncompress2(plain, &back, packed, &read) != Z_OK || plain[5] != 't';
			}
		C
		;;
	sqlite)
		cat <<-'C'
			#include <sqlite3.h>
			int main(void)
			{
				sqlite3 *db = 0;
				sqlite3_stmt *statement = 0;
				if (sqlite3_open(":memory:", &db) != SQLITE_OK)
					return 1;
				return sqlite3_prepare_v2(db, "select 1", -1, &statement, 0) != SQLITE_OK;
			}
		C
		;;
	webp)
		cat <<-'C'
			#include <webp/decode.h>
			int main(void)
			{
				WebPBitstreamFeatures features;
				return WebPGetFeatures((const uint8_t *)"RIFF", 4, &features) == VP8_STATUS_OK;
			}
		C
		;;
	check)
		cat <<-'C'
			#include <check.h>
			START_TEST(passes)
			{
				ck_assert_ptr_nonnull("");
			}
			END_TEST
			int main(void)
			{
				Suite *suite = suite_create("probe");
				TCase *tcase = tcase_create("probe");
				tcase_add_loop_test(tcase, passes, 0, 2);
				suite_add_tcase(suite, tcase);
				SRunner *runner = srunner_create(suite);
				srunner_set_fork_status(runner, CK_NOFORK);
				srunner_run_all(runner, CK_SILENT);
				return srunner_ntests_failed(runner);
			}
		C
		;;
	openblas) # loaded at run time (core/blas.c), so that no header of it is asked for
		cat <<-'C'
			#include <dlfcn.h>
			int main(void)
			{
				void *library = dlopen("libopenblas.so.0", RTLD_NOW);
				return !library || !dlsym(library, "openblas_get_config");
			}
		C
		;;
	esac
}

# --- compiler ------------------------------------------------------------------------------------------------------

has() {
	command -v "$1" >/dev/null 2>&1
}

# "ccache gcc -m64" is as good a CC as "gcc".
find_compiler() {
	compiler=""
	for candidate in ${CC:+"$CC"} ${CC:-gcc clang cc}; do
		# shellcheck disable=SC2086
		if has ${candidate%% *}; then
			compiler=${CC:-$candidate}
			break
		fi
		[ -z "${CC:-}" ] || break
	done
	identity=""
	# shellcheck disable=SC2086
	[ -n "$compiler" ] || return 0
	# shellcheck disable=SC2086
	identity="$($compiler --version 2>/dev/null | sed -n 1p) $($compiler -dumpmachine 2>/dev/null)"
}

# --- probes --------------------------------------------------------------------------------------------------------

# tries FLAGS...: the program in $work/probe.c compiles, links and runs with them; its headers are noted.
tries() {
	# shellcheck disable=SC2086
	$compiler -std=c11 -D_POSIX_C_SOURCE=200809L -Werror=implicit-function-declaration -Werror=int-conversion \
		-MD -MF "$work/probe.d" -o "$work/probe" "$work/probe.c" "$@" >"$work/probe.log" 2>&1 &&
		OPENBLAS_NUM_THREADS=1 "$work/probe" >>"$work/probe.log" 2>&1 || return 1
	sed 's/^[^:]*://; s/\\$//' "$work/probe.d" | tr ' ' '\n' | grep '^/' | grep -v "^$work" >>"$work/headers" ||
		true
}

pkg() {
	[ "$2" = - ] || ! has pkg-config || pkg-config "$@" 2>/dev/null || true
}

# probe NAME PKG FLAGS...: sets cflags, libs; false where it is not here.
probe() {
	name=$1 package=$2
	shift 2
	[ -n "$compiler" ] || return 1
	program "$name" >"$work/probe.c"
	cflags=$(pkg --cflags "$package") libs=$(pkg --libs "$package")
	# shellcheck disable=SC2086
	[ -z "$libs" ] || ! tries $cflags $libs || return 0
	cflags="" libs="$*"
	tries "$@" || { [ "$name" = check ] && libs="-lcheck -lm -pthread" && tries -lcheck -lm -pthread; }
}

# each GROUPS: calls "row NAME GROUP PACKAGE PKG FLAGS..." for the rows of these groups.
each() {
	while read -r name group package pkg_name flags; do
		case " $1 " in
		# shellcheck disable=SC2086
		*" $group "*) row "$name" "$group" "$package" "$pkg_name" $flags ;;
		esac
	done <<-E
		$(echo "$rows" | sed '/^$/d')
	E
}

# --- missing -------------------------------------------------------------------------------------------------------

missing() {
	find_compiler
	if [ -z "$compiler" ]; then
		if [ -n "${CC:-}" ]; then echo "build - the compiler $CC"; else echo "build gcc a C compiler"; fi
		echo "build libc6-dev the C library's headers"
	fi
	has make || echo "build make GNU make"
	has ar && has objcopy || echo "build binutils ar and objcopy"
	has pkg-config || echo "option pkgconf pkg-config, for tests of what make install puts in place"
	row() {
		item=$1 in_group=$2 debian=$3
		shift 3
		[ "$in_group" != extra ] || in_group=option
		probe "$item" "$@" || echo "$in_group $debian $(what "$item")"
	}
	each "build extra tests option"
	if [ -n "${MPI:-}" ]; then # make deps MPI=1
		has mpirun || echo "build openmpi-bin mpirun"
		has mpicc || echo "build libopenmpi-dev mpicc"
	fi
}

# --- write ---------------------------------------------------------------------------------------------------------

# Says all that the answers hang on, cheaply: asked at every make.
key() {
	echo "$compiler $identity ${CPATH:-} ${C_INCLUDE_PATH:-} ${LIBRARY_PATH:-} ${PKG_CONFIG_PATH:-}"
	if has pkg-config; then
		# shellcheck disable=SC2046
		pkg-config --modversion --print-errors $(echo "$rows" | awk '$4 != "-" { print $4 }') 2>&1 || true
	fi
	# shellcheck disable=SC2046
	sort -u "$1" 2>/dev/null | tr '\n' '\0' | xargs -0 -r stat -L -c '%n %s %Y' 2>&1 || true
}

write() {
	file=$1
	mkdir -p "${file%/*}" 2>/dev/null || true
	if ! (: >>"$file") 2>/dev/null; then
		echo "tapcut: ${file%/*} cannot be written: make BUILD=FOLDER puts what is built in another folder" >&2
		exit 1
	fi
	find_compiler
	old=$(sed -n 's/^# key //p' "$file")
	if [ -n "$old" ] && [ "$old" = "$(key "$file.headers" | cksum)" ] &&
		! grep -q '^CONFIG_MISSING.*[a-z]\|_LIBS := missing' "$file"; then
		return
	fi
	: >"$work/headers"
	lacking="" all_cflags="" all_libs="" test_cflags="" test_libs=""
	[ -n "$compiler" ] || lacking="compiler"
	row() {
		item=$1 in_group=$2
		shift 3
		if ! probe "$item" "$@"; then
			case $in_group in
			build) lacking="$lacking $item" ;;
			tests) test_libs=missing ;;
			esac
		elif [ "$in_group" = tests ]; then
			test_cflags=$cflags test_libs=$libs
		else
			[ "$in_group" = build ] || cflags="$cflags -DHAVE_$(echo "$item" | tr a-z A-Z)"
			all_cflags="$all_cflags $cflags" all_libs="$all_libs $libs"
		fi
	}
	each "build extra tests"
	sort -u "$work/headers" >"$work/sorted"
	{
		echo "# What tools/configure.sh found; make writes it anew when that changes."
		echo "# key $(key "$work/sorted" | cksum)"
		echo "CONFIG_CC := $compiler"
		echo "CONFIG_COMPILER := $(echo "$identity" | sed 's/[#$]//g')"
		echo "CONFIG_MACHINE := ${identity##* }"
		echo "CONFIG_HEADERS := $(xargs -r stat -L -c '%n %s %Y' <"$work/sorted" | cksum)"
		echo "CONFIG_CFLAGS :=$all_cflags"
		echo "CONFIG_LIBS :=$all_libs"
		echo "CONFIG_TEST_CFLAGS := $test_cflags"
		echo "CONFIG_TEST_LIBS := $test_libs"
		echo "CONFIG_MISSING := $lacking"
	} >"$file.$$"
	mv -f "$work/sorted" "$file.headers"
	if cmp -s "$file.$$" "$file"; then rm -f "$file.$$"; else mv -f "$file.$$" "$file"; fi
}

"$@"
