// Puts the kept theme in force before anything is painted: a classic script in the head, which the parser waits for.
// The page itself takes over from there; the key is that of its effects.
try {
  const kept = localStorage.getItem("bellwether.theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch {
  // Storage is forbidden here: the system's theme will do.
}
