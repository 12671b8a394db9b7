#!/bin/sh
# run_chromium.sh PROGRAM.wasm ARGUMENTS <INPUT >OUTPUT: what run_node.mjs does, in a page. The page has everything in
# itself and shows its result as text, which --dump-dom prints.
set -eu
here=$(dirname "$0") program=$1
shift
page=$(mktemp -d)
trap 'rm -rf "$page"' EXIT
{
	echo '<!doctype html><pre id="out"></pre><script>'
	sed 's/^export //' "$here/wasi.mjs"
	printf 'const program = "'; base64 -w0 "$program"; printf '";\nconst input = "'; base64 -w0; printf '";\n'
	printf 'const args = "program %s".split(" ");\n' "$*"
	cat <<'PAGE'
const unpack = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
let text;
try {
	const { code, out, err } = run(new WebAssembly.Module(unpack(program)), args, unpack(input));
	let bytes = '';
	for (let i = 0; i < out.length; i += 8192) bytes += String.fromCharCode(...out.subarray(i, i + 8192));
	text = code === 0 ? 'BYTES ' + btoa(bytes) + ' END' : `FAILED ${code} ${err}`;
} catch (error) {
	text = 'FAILED ' + error;
}
document.getElementById('out').textContent = text;
</script>
PAGE
} >"$page/page.html"
chromium --headless --no-sandbox --disable-gpu --user-data-dir="$page/profile" \
	--dump-dom "file://$page/page.html" 2>/dev/null >"$page/dom"
grep -o '<pre id="out">FAILED.*' "$page/dom" >&2 && exit 1
grep -oE '<pre id="out">BYTES [A-Za-z0-9+/=]+ END' "$page/dom" | cut -d' ' -f3 | base64 -d
