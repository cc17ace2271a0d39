//! Prints the types of questions and answers, in the form of an Anchor IDL's `types`: idl/quotes.json is this output.

fn main() {
    println!("{:#}", breakwater_wasm::idl());
}
