// Vite's pre-bundling would move the script away from its WebAssembly.
// The JSX needs no import of React.
export default { optimizeDeps: { exclude: ['bellwether'] }, esbuild: { jsx: 'automatic' } };
