#!/bin/sh
# The page as a C file with all its bytes (tools/web_files.h): embed.sh FOLDER FILE... ; the names are what follows
# FOLDER/.
folder=$1
shift
echo '#include "tools/web_files.h"'
i=0
for file; do
	printf '__asm__(".section .rodata\\n.balign 16\\nweb_file_%d: .incbin \\"%s\\"\\n' $i "$file"
	printf 'web_file_%d_end: .byte 0\\n.previous");\n' $i
	printf 'extern const unsigned char web_file_%d[], web_file_%d_end[];\n' $i $i
	i=$((i + 1))
done
echo 'const struct web_file web_files[] = {'
i=0
for file; do
	echo "	{ \"${file#"$folder"/}\", web_file_$i, web_file_${i}_end },"
	i=$((i + 1))
done
echo '	{ 0 },'
echo '};'
