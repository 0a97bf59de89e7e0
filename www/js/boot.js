// Starts the page. A file of its own, because the content security policy allows no inline script; the names of the
// built files come in the query string, put there by Trunk (`pattern_script` in Trunk.toml).
const names = new URL(import.meta.url).searchParams;
const at = (name) => new URL(names.get(name), import.meta.url);

try {
  const { default: init } = await import(at("js"));
  await init({ module_or_path: at("wasm") });
} catch (error) {
  console.error(error);
  const place = document.getElementById("boot") ?? document.body;
  place.setAttribute("role", "alert");
  place.textContent =
    typeof WebAssembly === "object"
      ? `The page could not start: ${error.message}. Reload it; if that does not help, tell whoever hosts it.`
      : "The page could not start: this browser has no WebAssembly. A current Firefox, Chrome, Edge or Safari has it.";
}
