//! Two macros that declare a struct once: [`stored!`] for account state, [`record!`] for event bodies and
//! instruction arguments. Both list the fields by name for the IDL when the feature `idl` is on.

/// A struct whose bytes an account holds: `repr(C)`, no padding (bytemuck checks it), same layout on the host and
/// on chain. It also has a Borsh form, byte for byte the same, so that it can be an instruction argument.
macro_rules! stored {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty,)* }) => {
        $(#[doc = $doc])*
        #[repr(C)]
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq,
            bytemuck::Pod, bytemuck::Zeroable,
            borsh::BorshSerialize, borsh::BorshDeserialize,
        )]
        pub struct $name { $($(#[doc = $field_doc])* pub $field: $ty,)* }
        idl_struct!($name, Bytemuck, Some($crate::layout::idl::repr_c()), [$($doc)*], $([$($field_doc)*] $field: $ty,)*);
    };
}

/// A plain struct that leaves the engine: an action's outcome, which is also its event's body.
macro_rules! record {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $ty:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, borsh::BorshSerialize, borsh::BorshDeserialize)]
        pub struct $name { $($(#[doc = $field_doc])* pub $field: $ty,)* }
        idl_struct!($name, Borsh, None, [$($doc)*], $([$($field_doc)*] $field: $ty,)*);
    };
}

macro_rules! idl_struct {
    ($name:ident $(<$of:ty>)?, $serialization:ident, $repr:expr, [$($doc:literal)*], $([$($field_doc:literal)*] $field:ident: $ty:ty,)*) => {
        #[cfg(feature = "idl")]
        impl $crate::layout::idl::Described for $name $(<$of>)? {
            fn idl_type() -> $crate::layout::idl::IdlType {
                $crate::layout::idl::defined::<Self>()
            }
            fn insert(types: &mut $crate::layout::idl::Types) {
                if let Some(definition) = <Self as $crate::layout::idl::IdlBuild>::create_type() {
                    types.insert(<Self as $crate::layout::idl::IdlBuild>::get_full_path(), definition);
                }
                <Self as $crate::layout::idl::IdlBuild>::insert_types(types);
            }
        }
        #[cfg(feature = "idl")]
        impl $crate::layout::idl::IdlBuild for $name $(<$of>)? {
            fn get_full_path() -> std::string::String {
                concat!(module_path!(), "::", stringify!($name)).into()
            }
            fn create_type() -> Option<$crate::layout::idl::IdlTypeDef> {
                Some($crate::layout::idl::definition(
                    stringify!($name),
                    &[$($doc),*],
                    $crate::layout::idl::IdlSerialization::$serialization,
                    $repr,
                    std::vec![$($crate::layout::idl::field::<$ty>(stringify!($field), &[$($field_doc),*])),*],
                ))
            }
            fn insert_types(types: &mut $crate::layout::idl::Types) {
                $(<$ty as $crate::layout::idl::Described>::insert(types);)*
            }
        }
    };
}

/// Items that the macros above need to describe a field to Anchor's IDL generator.
#[cfg(feature = "idl")]
pub(crate) mod idl {
    pub use anchor_lang_idl::build::IdlBuild;
    use anchor_lang_idl::types::{IdlArrayLen, IdlDefinedFields, IdlField, IdlRepr, IdlReprModifier, IdlTypeDefTy};
    pub use anchor_lang_idl::types::{IdlSerialization, IdlType, IdlTypeDef};
    use std::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};

    pub type Types = BTreeMap<String, IdlTypeDef>;

    /// A type that can be a field: newtypes show as the number they hold, structs by name.
    pub trait Described {
        fn idl_type() -> IdlType;
        fn insert(_types: &mut Types) {}
    }

    macro_rules! plain {
        ($($ty:ty => $idl:ident),* $(,)?) => { $(impl Described for $ty {
            fn idl_type() -> IdlType { IdlType::$idl }
        })* };
    }
    plain!(bool => Bool, u8 => U8, u16 => U16, u32 => U32, u64 => U64, i16 => I16, i32 => I32, i64 => I64);
    plain!(
        crate::Quote => U64, crate::Collateral => U64, crate::DebtShares => U64, crate::LpShares => U64, crate::GuardianShares => U64,
        crate::Bps => U32, crate::Price => U128, crate::Index => U128, crate::Fixed => U128, crate::Key => Pubkey,
    );
    impl<T: Described, const N: usize> Described for [T; N] {
        fn idl_type() -> IdlType {
            IdlType::Array(Box::new(T::idl_type()), IdlArrayLen::Value(N))
        }
        fn insert(types: &mut Types) {
            T::insert(types);
        }
    }

    pub fn defined<T: IdlBuild>() -> IdlType {
        IdlType::Defined {
            name: T::get_full_path(),
            generics: Vec::new(),
        }
    }

    pub fn repr_c() -> IdlRepr {
        IdlRepr::C(IdlReprModifier {
            packed: false,
            align: None,
        })
    }

    pub fn field<T: Described>(name: &str, docs: &[&str]) -> IdlField {
        IdlField {
            name: name.into(),
            docs: lines(docs),
            ty: T::idl_type(),
        }
    }

    pub fn definition(
        name: &str,
        docs: &[&str],
        serialization: IdlSerialization,
        repr: Option<IdlRepr>,
        fields: Vec<IdlField>,
    ) -> IdlTypeDef {
        IdlTypeDef {
            name: name.into(),
            docs: lines(docs),
            serialization,
            repr,
            generics: Vec::new(),
            ty: IdlTypeDefTy::Struct {
                fields: Some(IdlDefinedFields::Named(fields)),
            },
        }
    }

    fn lines(docs: &[&str]) -> Vec<String> {
        docs.iter().map(|line| line.trim().into()).collect()
    }
}
