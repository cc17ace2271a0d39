//! Someone who signs.

use crate::keys;
use anchor_lang::prelude::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::{fmt, sync::Arc};

/// A named keypair. The same name is the same key in every world; [`World::actor`](crate::World::actor) gives it
/// lamports, [`World::fund`](crate::World::fund) gives it tokens.
#[derive(Clone)]
pub struct Actor {
    name: String,
    keypair: Arc<Keypair>,
}

impl Actor {
    /// The actor of this name, without lamports in any world.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            keypair: Arc::new(keys::keypair_for(name)),
        }
    }

    /// Name given at creation.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    #[must_use]
    pub fn key(&self) -> Pubkey {
        self.keypair.pubkey()
    }

    /// Its keypair, for transactions built by hand.
    #[must_use]
    pub fn keypair(&self) -> &Keypair {
        &self.keypair
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.key())
    }
}
