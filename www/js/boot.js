// Starts the page. A file of its own, because the content security policy allows no inline script; the names of the
// built files come in the query string, put there by Trunk (`pattern_script` in Trunk.toml).
//
// What the page says lies outside its wasm: the texts of the reader's language are fetched beside it. The page finds them,
// and how the reader's `Intl` is to be asked, in `globalThis.bellwether`.
const names = new URL(import.meta.url).searchParams;
const at = (name) => new URL(names.get(name), import.meta.url);

const languages = ["en", "es"];
const known = (language) => (languages.includes(language) ? language : undefined);
const base = (locale) => locale.split("-")[0];

// The address's language before the one that was chosen, the choice before what the browser asks for.
function chosen() {
  const asked = known(new URLSearchParams(location.hash.split("?")[1] ?? "").get("lang"));
  if (asked) return asked;
  try {
    return known(localStorage.getItem("bellwether.language"));
  } catch {
    return undefined; // Storage is forbidden here.
  }
}

// Figures are written in the reader's own kind of the language, such as es-MX.
const own = (language) => navigator.languages.find((locale) => base(locale) === language);

const choice = chosen();
const first = choice ?? navigator.languages.map(base).find(known) ?? "en";

const words = {
  en: {
    failed: (reason) => `The page could not start: ${reason}. Reload it; if that does not help, tell whoever hosts it.`,
    old: "The page could not start: this browser has no WebAssembly. A current Firefox, Chrome, Edge or Safari has it.",
    texts: "its texts did not come",
    file: "What reads files did not come. Is the network there? Try it again.",
  },
  es: {
    failed: (reason) => `La página no ha podido arrancar: ${reason}. Recárguela; si no ayuda, avise a quien la aloja.`,
    old: "La página no ha podido arrancar: este navegador no tiene WebAssembly. Un Firefox, Chrome, Edge o Safari actual lo tiene.",
    texts: "sus textos no han llegado",
    file: "No ha llegado lo que lee archivos. ¿Hay red? Inténtelo de nuevo.",
  },
}[first];

// Fetches the texts of a language and leaves them for the page.
async function use(language, locale) {
  // The name of the built script goes along: texts are known by their number, and belong to one build of the page.
  const answer = await fetch(new URL(`./texts/${language}.json?${names.get("js")}`, import.meta.url));
  if (!answer.ok) throw new Error(words.texts);
  Object.assign(globalThis.bellwether, { language, locale, texts: await answer.json() });
  document.documentElement.lang = language;
}

globalThis.bellwether = {
  /** Called by the page when the reader has chosen a language. */
  async speak(language) {
    await use(language, own(language) ?? language);
    try {
      localStorage.setItem("bellwether.language", language);
    } catch {
      // A full or forbidden storage only means that the choice is not kept.
    }
  },
};

// Who has the page behind other tabs sees that alerts are firing: the page writes their number before its title.
function badge() {
  const icon = document.querySelector("link[rel='icon']");
  icon.dataset.calm ??= icon.getAttribute("href");
  const href = /^\(\d/.test(document.title) ? icon.dataset.firing : icon.dataset.calm;
  if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
}
new MutationObserver(badge).observe(document.querySelector("title"), { childList: true });

// What calls the reader when an alert begins to fire, each only after they have pressed for it.
let audio;
Object.assign(globalThis.bellwether, {
  /** Whether the page may show notifications, in the browser's word. */
  permission: () => globalThis.Notification?.permission ?? "missing",
  /** The same; the reader is asked where they were not yet. */
  async permit() {
    const known = bellwether.permission();
    return known === "default" ? Notification.requestPermission() : known;
  },
  /** Shows one; `false` where the browser shows none of pages, as those of phones. One of the same title takes its place. */
  notify(title, body) {
    try {
      const icon = new URL(document.querySelector("link[rel='icon']").dataset.firing, document.baseURI).href;
      const shown = new Notification(title, { body, tag: title, icon });
      shown.onclick = () => {
        focus();
        location.hash = "#/alerts";
        shown.close();
      };
      return true;
    } catch {
      return false;
    }
  },
  /** Two short tones, the second one higher. */
  tone() {
    audio ??= new AudioContext();
    audio.resume();
    for (const [place, pitch] of [660, 880].entries()) {
      const start = audio.currentTime + place * 0.2;
      const voice = new OscillatorNode(audio, { frequency: pitch });
      const loudness = new GainNode(audio, { gain: 0 });
      loudness.gain.setValueAtTime(0, start);
      loudness.gain.linearRampToValueAtTime(0.2, start + 0.02);
      loudness.gain.linearRampToValueAtTime(0, start + 0.18);
      voice.connect(loudness).connect(audio.destination);
      voice.start(start);
      voice.stop(start + 0.2);
    }
  },
});

// A file of the reader's is read by what is fetched only then: one that is dropped anywhere, or that a button asks for.
async function open(file) {
  try {
    await (await import("./file/open.js")).open(file);
  } catch (error) {
    console.error(error);
    alert(words.file);
  }
}
addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
});
addEventListener("drop", (event) => {
  const [file] = event.dataTransfer.files;
  if (!file) return;
  event.preventDefault();
  open(file);
});
addEventListener("click", (event) => {
  const button = event.target.closest("[data-open-file]");
  if (!button) return;
  if (button.dataset.openFile) return open(button.dataset.openFile);
  const picker = Object.assign(document.createElement("input"), { type: "file", accept: ".csv,.tsv,.txt,text/csv" });
  picker.onchange = () => open(picker.files[0]);
  picker.click();
});

try {
  // Whoever reads none of our languages, and has chosen none, keeps the figures of their own.
  const locale = own(first) ?? (choice ? first : navigator.language);
  const [{ default: init }] = await Promise.all([import(at("js")), use(first, locale)]);
  await init({ module_or_path: at("wasm") });
} catch (error) {
  console.error(error);
  const place = document.getElementById("boot") ?? document.body;
  place.setAttribute("role", "alert");
  place.textContent = typeof WebAssembly === "object" ? words.failed(error.message) : words.old;
}
