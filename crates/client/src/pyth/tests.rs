//! Form of updates: what is built is read back, and nothing that is cut off or made up makes the reader panic.

use super::*;
use proptest::{collection::vec, prelude::*};

prop_compose! {
    fn message()(
        feed in any::<[u8; 32]>(),
        (price, conf, expo) in any::<(i64, u64, i32)>(),
        (publish_time, previous_publish_time) in any::<(i64, i64)>(),
        (ema_price, ema_conf) in any::<(i64, u64)>(),
        rest in vec(any::<u8>(), 0..4),
    ) -> Message {
        Message { feed, price, conf, expo, publish_time, previous_publish_time, ema_price, ema_conf, rest }
    }
}

prop_compose! {
    fn body()(
        (time, nonce, chain) in any::<(u32, u32, u16)>(),
        (emitter, sequence, consistency) in any::<([u8; 32], u64, u8)>(),
        (slot, ring, root) in any::<(u64, u32, [u8; 20])>(),
        rest in vec(any::<u8>(), 0..4),
    ) -> Body {
        Body { time, nonce, chain, emitter, sequence, consistency, slot, ring, root, rest }
    }
}

prop_compose! {
    fn signature()(signer in any::<u8>(), half in any::<[[u8; 32]; 2]>(), recovery in any::<u8>()) -> Signature {
        let mut rs = [0; 64];
        rs.copy_from_slice(half.as_flattened());
        Signature { signer, rs, recovery }
    }
}

prop_compose! {
    fn update()(
        set in any::<u32>(),
        signatures in vec(signature(), 0..6),
        body in body(),
        prices in vec((message(), vec(any::<[u8; 20]>(), 0..15)), 0..5),
    ) -> Update {
        let prices = prices.into_iter().map(|(message, proof)| PriceUpdate { message, proof }).collect();
        Update { vaa: Vaa { set, signatures, body }, prices }
    }
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(update in update(), after in vec(any::<u8>(), 0..4)) {
        let mut bytes = update.bytes().unwrap();
        prop_assert_eq!(Update::parse(&bytes), Ok(update.clone()));
        prop_assert_eq!(Vaa::parse(&update.vaa.bytes().unwrap()), Ok(update.vaa.clone()));
        // What a later minor version adds is not looked at.
        bytes[5] = 3;
        bytes[6] = 2;
        bytes.splice(7..7, [8, 9]);
        bytes.extend(after);
        prop_assert_eq!(Update::parse(&bytes), Ok(update));
    }

    #[test]
    fn what_is_cut_off_is_truncated(update in update(), at in any::<prop::sample::Index>()) {
        let bytes = update.bytes().unwrap();
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert_eq!(Update::parse(cut), Err(Error::Truncated));
    }

    #[test]
    fn garbage_is_an_error_or_an_update(
        update in update(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        noise in vec(any::<u8>(), 0..600),
    ) {
        let mut bytes = update.bytes().unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &noise, &[b"PNAU\x01\x00\x00\x00", &noise[..]].concat()] {
            let _ = Vaa::parse(bytes);
            let _ = Message::parse(bytes);
            let _ = SignerSet::decode(bytes);
            if let Ok(read) = Update::parse(bytes) {
                let _ = read.check_proofs();
                prop_assert_eq!(Update::parse(&read.bytes().unwrap()), Ok(read));
            }
        }
    }
}

fn plain() -> Update {
    let body = Body {
        time: 1,
        nonce: 2,
        chain: 26,
        emitter: [3; 32],
        sequence: 4,
        consistency: 1,
        slot: 5,
        ring: 6,
        root: [7; 20],
        rest: Vec::new(),
    };
    Update {
        vaa: Vaa {
            set: 0,
            signatures: Vec::new(),
            body,
        },
        prices: vec![PriceUpdate {
            message: Message::parse(&[0; MESSAGE_BYTES]).unwrap(),
            proof: vec![[9; 20]; 12],
        }],
    }
}

#[test]
fn each_wrong_form_has_its_own_error() {
    let bytes = plain().bytes().unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Update::parse(&bytes).unwrap_err()
    };
    // The VAA begins at 10, its body at 16, what it carries at 67; the message behind it, a count and a length.
    let message = 10 + plain().vaa.bytes().unwrap().len() + 3;
    assert_eq!(with(0, b'p'), Error::NotAnUpdate);
    assert_eq!(with(4, 2), Error::UpdateVersion(2));
    assert_eq!(with(7, 1), Error::ProofKind(1));
    assert_eq!(with(10, 2), Error::VaaVersion(2));
    assert_eq!(with(67, b'B'), Error::NotARoot);
    assert_eq!(with(71, 1), Error::RootKind(1));
    assert_eq!(with(message, 1), Error::MessageKind(1));
    assert_eq!(Update::parse(&[]), Err(Error::Truncated));
    assert_eq!(Update::parse(b"PNA"), Err(Error::Truncated));
}

#[test]
fn what_is_too_long_to_be_written_is_refused() {
    let error = |edit: &dyn Fn(&mut Update)| {
        let mut update = plain();
        edit(&mut update);
        update.bytes().unwrap_err()
    };
    assert_eq!(
        error(&|update| update.prices[0].proof = vec![[0; 20]; 256]),
        Error::TooLong("proof")
    );
    assert_eq!(
        error(&|update| update.prices = vec![update.prices[0].clone(); 256]),
        Error::TooLong("prices")
    );
    assert_eq!(
        error(&|update| update.prices[0].message.rest = vec![0; 65_536 - MESSAGE_BYTES]),
        Error::TooLong("message")
    );
    assert_eq!(
        error(&|update| update.vaa.body.rest = vec![0; 65_536]),
        Error::TooLong("VAA")
    );
    let signature = Signature {
        signer: 0,
        rs: [0; 64],
        recovery: 0,
    };
    assert_eq!(
        error(&|update| update.vaa.signatures = vec![signature; 256]),
        Error::TooLong("signatures")
    );
}
