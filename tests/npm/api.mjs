// Writes the API reference of the npm package, docs/api, from the types of the built package: `cargo xtask npm` first.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Application, LogLevel } from 'typedoc';

const root = path.resolve(import.meta.dirname, '../..');
const built = process.env.BELLWETHER_NPM ?? path.join(root, 'target/npm/bellwether');

/** Writes the reference to `folder`; gives how many complaints there were, which it has printed. */
export async function writeReference(folder) {
  const entries = ['index.d.ts', 'collector.d.ts', 'frame.d.ts', 'live.d.ts'].map((name) => path.join(built, name));
  const settings = mkdtempSync(path.join(tmpdir(), 'bellwether-api-'));
  try {
    const tsconfig = path.join(settings, 'tsconfig.json');
    const compilerOptions = { module: 'nodenext', target: 'es2022', lib: ['es2022', 'dom', 'esnext.disposable'], types: [], strict: true };
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: entries }));
    const application = await Application.bootstrapWithPlugins({
      plugin: ['typedoc-plugin-markdown'],
      tsconfig,
      entryPoints: entries,
      outputs: [{ name: 'markdown', path: folder }],
      name: 'bellwether',
      readme: 'none',
      disableSources: true,
      // What `init` takes beside text and bytes, spelled so that no types of the DOM are needed.
      intentionallyNotExported: ['Instance'],
      outputFileStrategy: 'modules',
      entryFileName: 'README',
      hideBreadcrumbs: true,
      hidePageHeader: true,
      useCodeBlocks: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      logLevel: LogLevel.Warn,
    });
    const reflections = await application.convert();
    application.validate(reflections);
    await application.generateOutputs(reflections);
    explainCodes(path.join(folder, 'index.md'), reflections.getChildByName(['index', 'ErrorCode']).type);
    return application.logger.warningCount + application.logger.errorCount;
  } finally {
    rmSync(settings, { recursive: true });
  }
}

/** The generator leaves out what is said of each member of a union of texts; here it stands as a table. */
function explainCodes(page, { types, elementSummaries }) {
  const rows = types.flatMap(({ value }, place) => {
    const said = elementSummaries[place].map(({ text }) => text).join('');
    return value ? [`| \`${value}\` | ${said.replaceAll('\n', ' ')} |`] : [];
  });
  const table = ['| Code | Meaning |', '| ------ | ------ |', ...rows].join('\n');
  const text = readFileSync(page, 'utf8');
  const whole = text.replace(/^The codes of \[BellwetherError\].*$/m, (sentence) => `${sentence}\n\n${table}`);
  if (whole === text) throw new Error('the page of the engine no longer says where its codes are');
  writeFileSync(page, whole);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = (await writeReference(path.join(root, 'docs/api'))) > 0 ? 1 : 0;
}
