// Lays a .gz and a .br beside each file of a folder that is worth compressing: `node tools/compress.mjs dist`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const compressible = new Set([".html", ".css", ".js", ".mjs", ".json", ".wasm", ".svg", ".txt", ".webmanifest"]);
// Whoever hosts the site edits these; a compressed twin would go on being served as it was.
const edited = new Set(["config.json", "board.json"]);
const folder = process.argv[2];

for (const name of readdirSync(folder, { recursive: true })) {
  if (!compressible.has(extname(name)) || edited.has(name)) continue;
  const path = join(folder, name);
  const bytes = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
}
