// run_node.mjs PROGRAM.wasm ARGUMENTS <INPUT >OUTPUT
import { readFileSync, writeSync } from 'node:fs';
import { run } from './wasi.mjs';

const [, , path, ...args] = process.argv;
const module = new WebAssembly.Module(readFileSync(path));
const { code, out, err } = run(module, ['program', ...args], readFileSync(0));
process.stderr.write(err);
for (let at = 0; at < out.length; at += writeSync(1, out, at));
process.exitCode = code;
