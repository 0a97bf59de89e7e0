// Vite's pre-bundling would move the script away from its WebAssembly.
export default { optimizeDeps: { exclude: ['bellwether'] } };
