// Code that comes when a view needs it. `cargo xtask` splits it off the page's wasm and puts this in the place of an
// import that wasm-bindgen has written, so that nothing more is fetched before the first figures.
const instances = new Map();

// A module of its own that shares memory, table and stack with the page's. It is made once; what failed may be tried again.
function instance(name) {
    let coming = instances.get(name);
    if (!coming) {
        coming = (async () => {
            const answer = await fetch(new URL(name, import.meta.url));
            if (!answer.ok) throw new Error(`${answer.url} is not there: ${answer.status}`);
            // Its bytes, whatever the web server says that they are.
            return WebAssembly.instantiate(await answer.arrayBuffer(), { __wasm_split: wasm });
        })();
        coming.catch(() => instances.delete(name));
        instances.set(name, coming);
    }
    return coming;
}

// What the page calls: fetches the modules in their order and then calls back, by the callback's place in the table.
const loader = (names) => async (callback, waiting) => {
    let came = true;
    try {
        for (const name of names) await instance(name);
    } catch (error) {
        // What cannot be reached the browser names by itself.
        if (!(error instanceof TypeError)) console.error(error);
        came = false;
    }
    wasm.__indirect_function_table.get(callback)(waiting, came);
};
