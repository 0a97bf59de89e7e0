// The JSX needs no import of React.
export default { esbuild: { jsx: 'automatic' } };
