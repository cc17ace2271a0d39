//! One macro that declares a struct once, for Rust and for the IDL.

/// A struct that crosses the boundary to JavaScript, in Borsh.
macro_rules! described {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
            pub struct $name { $($(#[doc = $field_doc])* pub $field: $ty,)* }

            #[cfg(not(target_arch = "wasm32"))]
            impl $crate::describe::Described for $name {
                fn idl_type() -> serde_json::Value {
                    serde_json::json!({ "defined": { "name": stringify!($name) } })
                }
            }
        )*

        /// The structs above, as the `types` of an Anchor IDL.
        #[cfg(not(target_arch = "wasm32"))]
        pub(crate) fn definitions() -> Vec<serde_json::Value> {
            use $crate::describe::{Described, definition, field};
            vec![$(definition(
                stringify!($name),
                &[$($doc),*],
                &[$(field(stringify!($field), &[$($field_doc),*], &<$ty as Described>::idl_type())),*],
            )),*]
        }
    };
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::idl;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Described, definition, field};

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use serde_json::{Value, json};

    /// A type that can be a field.
    pub trait Described {
        /// As an Anchor IDL names it.
        fn idl_type() -> Value;
    }

    macro_rules! plain {
        ($($ty:ident),*) => { $(impl Described for $ty {
            fn idl_type() -> Value { json!(stringify!($ty)) }
        })* };
    }
    plain!(bool, u8, u32, i32, u64, i64, u128, i128);

    /// A type that the program's own IDL has.
    impl Described for breakwater_engine::actions::Liquidation {
        fn idl_type() -> Value {
            json!({ "defined": { "name": "Liquidation" } })
        }
    }

    impl<T: Described> Described for Option<T> {
        fn idl_type() -> Value {
            json!({ "option": T::idl_type() })
        }
    }

    impl<T: Described, const N: usize> Described for [T; N] {
        fn idl_type() -> Value {
            json!({ "array": [T::idl_type(), N] })
        }
    }

    pub fn definition(name: &str, docs: &[&str], fields: &[Value]) -> Value {
        json!({ "name": name, "docs": lines(docs), "type": { "kind": "struct", "fields": fields } })
    }

    pub fn field(name: &str, docs: &[&str], ty: &Value) -> Value {
        json!({ "name": name, "docs": lines(docs), "type": ty })
    }

    fn lines(docs: &[&str]) -> Vec<String> {
        docs.iter().map(|line| line.trim().to_owned()).collect()
    }

    /// The `types` that an Anchor IDL must have beside the program's own, for JavaScript's codecs.
    #[must_use]
    pub fn idl() -> Value {
        Value::from(crate::types::definitions())
    }
}
