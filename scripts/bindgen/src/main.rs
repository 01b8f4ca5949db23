//! Generates the JavaScript around a compiled module: `bindgen MODULE.wasm FOLDER` writes `index.js`,
//! `index_bg.wasm` and `snippets/`.

use std::{env, error::Error};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        return Err("usage: bindgen MODULE.wasm FOLDER".into());
    };
    Bindgen::new()
        .input_path(module)
        .out_name("index")
        // An ES module that imports the WebAssembly module, as Workers load it.
        .module(true)?
        .typescript(false)
        // After a panic `scripts/shim.js` has a new instance made, in place of the broken one.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(folder)?;
    Ok(())
}
