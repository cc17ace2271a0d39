//! Signed updates against Pyth's own crate, and every change of one refused.

use crate::pyth::{Quotation, Routers, feed_id_for, usd};
use breakwater_client::pyth::{
    Error, Message, SignerSet, Stack, Update, Vaa,
    routers::{FEE, PYTHNET, SIGNATURES, emitter},
};
use pythnet_sdk::{
    accumulators::{Accumulator, merkle::MerkleTree},
    hashers::keccak256_160::Keccak160,
    messages::Message as TheirMessage,
    wire::{
        from_slice,
        v1::{AccumulatorUpdateData, Proof, WormholeMessage, WormholePayload},
    },
};

const NOW: i64 = 1_790_000_000;

fn messages(count: usize) -> Vec<Message> {
    let of = |number: usize| {
        let price = usd(100) + i64::try_from(number).unwrap();
        let quotation = Quotation::settled(price, -8, 12_345, NOW - 1);
        quotation.message(feed_id_for(&format!("FEED {number}")))
    };
    (0..count).map(of).collect()
}

/// Checks an update as a program would, from its bytes.
fn check(bytes: &[u8], routers: &Routers) -> Result<(), Error> {
    Update::parse(bytes)?.check(&routers.signer_set(0), NOW)
}

#[test]
fn the_tree_is_pyths_own() {
    for count in [1, 2, 3, 5, 8] {
        let messages = messages(count);
        let items: Vec<Vec<u8>> = messages.iter().map(Message::bytes).collect();
        let theirs = MerkleTree::<Keccak160>::from_set(items.iter().map(Vec::as_slice)).unwrap();
        let depth = u8::try_from(count.next_power_of_two().trailing_zeros()).unwrap();
        let ours = Routers::new(1).update_of(&messages, depth, 3);
        assert_eq!(ours.vaa.body.root, theirs.root.as_bytes());
        for (price, item) in ours.prices.iter().zip(&items) {
            assert_eq!(price.proof, theirs.prove(item).unwrap().to_vec());
        }
    }
}

#[test]
fn pyths_own_crate_reads_the_update() {
    let update = Routers::new(3).update(&messages(2));
    let theirs = AccumulatorUpdateData::try_from_slice(&update.bytes().unwrap()).unwrap();
    let Proof::WormholeMerkle { vaa, updates } = theirs.proof;
    let vaa: Vec<u8> = vaa.into();
    assert_eq!(vaa, update.vaa.bytes().unwrap());
    assert_eq!(vaa.len(), 292, "as Pyth serves it with three signatures");
    let payload = WormholeMessage::try_from_bytes(&vaa[6 + 3 * 66 + 51..]).unwrap();
    let WormholePayload::Merkle(root) = payload.payload;
    assert_eq!(root.root, update.vaa.body.root);
    for (ours, theirs) in update.prices.iter().zip(updates) {
        assert_eq!(ours.argument().unwrap(), borsh::to_vec(&theirs).unwrap());
        let bytes: Vec<u8> = theirs.message.into();
        let TheirMessage::PriceFeedMessage(price) = from_slice::<byteorder::BE, _>(&bytes).unwrap() else {
            panic!("no price");
        };
        let ours = &ours.message;
        assert_eq!(
            (ours.feed, ours.price, ours.conf),
            (price.feed_id, price.price, price.conf)
        );
        assert_eq!((ours.expo, ours.publish_time), (price.exponent, price.publish_time));
        assert_eq!(ours.previous_publish_time, price.prev_publish_time);
        assert_eq!((ours.ema_price, ours.ema_conf), (price.ema_price, price.ema_conf));
    }
}

#[test]
fn what_the_routers_sign_is_believed_at_every_depth() {
    let routers = Routers::new(1);
    for (depth, count) in [(0, 1), (1, 2), (11, 4), (12, 4), (13, 4), (14, 4)] {
        let update = routers.update_of(&messages(count), depth, 3);
        assert_eq!(update.prices[count - 1].proof.len(), usize::from(depth));
        assert_eq!(check(&update.bytes().unwrap(), &routers), Ok(()));
    }
    let all = routers.update_of(&messages(1), 12, 5);
    assert_eq!(check(&all.bytes().unwrap(), &routers), Ok(()));
}

/// Of every byte of the signed body, of the messages and proofs each bit; of the signatures one bit of each byte, for
/// recovering a key takes long in a debug build.
#[test]
fn each_flipped_bit_is_refused() {
    let routers = Routers::new(1);
    let update = routers.update(&messages(2));
    let bytes = update.bytes().unwrap();
    let (signatures, body) = (16..16 + 3 * 66, 16 + 3 * 66..10 + 292);
    assert_eq!(update.vaa.bytes().unwrap(), bytes[10..body.end]);
    // Signatures: another signer, another key, or none.
    for at in signatures {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let error = check(&changed, &routers).unwrap_err();
        let expected = matches!(
            error,
            Error::SignerOrder(_) | Error::SignerIndex(_) | Error::Signature(_) | Error::Signer(_)
        );
        assert!(expected, "byte {at}: {error:?}");
    }
    // The body: the first signature is another's, or nobody's. Its magic and kind are refused before.
    for at in body.clone() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let error = check(&changed, &routers).unwrap_err();
        let expected = matches!(
            error,
            Error::Signer(0) | Error::Signature(0) | Error::NotARoot | Error::RootKind(_)
        );
        assert!(expected, "byte {at}: {error:?}");
    }
    // Messages and proofs. What is a length is no flip of a message, and is left out.
    let (message, proof) = (85, 12 * 20);
    let mut start = body.end + 1;
    for price in &update.prices {
        let feed = price.message.feed;
        let (from, to) = (start + 2, start + 2 + message);
        for at in (from..to).chain(to + 1..to + 1 + proof) {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let error = Update::parse(&changed)
                    .and_then(|update| update.check_proofs())
                    .unwrap_err();
                let of_feed = if (from + 1..from + 33).contains(&at) {
                    matches!(error, Error::Proof(changed) if changed != feed)
                } else if at == from {
                    error == Error::MessageKind(1 << bit)
                } else {
                    error == Error::Proof(feed)
                };
                assert!(of_feed, "byte {at}, bit {bit}: {error:?}");
            }
        }
        start = to + 1 + proof;
    }
    assert_eq!(start, bytes.len());
}

#[test]
fn each_wrong_signer_has_its_own_error() {
    let routers = Routers::new(1);
    let update = routers.update(&messages(1));
    let (set, vaa) = (routers.signer_set(0), &update.vaa);
    assert_eq!(vaa.check(&set, NOW), Ok(()));
    let other = Routers::new(2).signer_set(0);
    assert_eq!(vaa.check(&other, NOW), Err(Error::SignerSet { needed: 1, found: 2 }));
    let ending = u32::try_from(NOW).unwrap();
    assert_eq!(vaa.check(&routers.signer_set(ending), NOW), Ok(()));
    assert_eq!(
        vaa.check(&routers.signer_set(ending), NOW + 1),
        Err(Error::SignerSetExpired(ending))
    );
    let with = |edit: &dyn Fn(&mut Vaa)| {
        let mut vaa = vaa.clone();
        edit(&mut vaa);
        vaa.check(&set, NOW)
    };
    assert_eq!(
        with(&|vaa| vaa.signatures.truncate(2)),
        Err(Error::Signatures { needed: 3, found: 2 })
    );
    assert_eq!(with(&|vaa| vaa.signatures.swap(0, 1)), Err(Error::SignerOrder(0)));
    assert_eq!(
        with(&|vaa| vaa.signatures[1] = vaa.signatures[0]),
        Err(Error::SignerOrder(0))
    );
    assert_eq!(with(&|vaa| vaa.signatures[2].signer = 5), Err(Error::SignerIndex(5)));
    assert_eq!(with(&|vaa| vaa.signatures[2].signer = 4), Err(Error::Signer(4)));
    assert_eq!(with(&|vaa| vaa.signatures[0].recovery = 9), Err(Error::Signature(0)));
    assert_eq!(with(&|vaa| vaa.signatures[0].rs = [0; 64]), Err(Error::Signature(0)));
    let forged = Routers::new(2).sign(0, &vaa.body);
    assert_eq!(with(&|vaa| vaa.signatures[0] = forged), Err(Error::Signer(0)));
}

#[test]
fn accounts_are_read_back() {
    let routers = Routers::new(7);
    for stack in Stack::ALL {
        let [(address, set), (config, configured)] = routers.accounts(&stack, 9);
        assert_eq!((address, set.owner), (stack.signer_set(7), stack.bridge));
        assert_eq!(SignerSet::decode(&set.data), Ok(routers.signer_set(9)));
        assert_eq!(
            SignerSet::decode(&set.data[..set.data.len() - 1]),
            Err(Error::Truncated)
        );
        assert_eq!((config, configured.owner), (stack.config(), stack.receiver));
        assert_eq!(SignerSet::decode(&configured.data), Err(Error::NotASignerSet));
    }
}

/// The receiver's SDK reads the configuration.
#[test]
fn pyths_own_crate_reads_the_configuration() {
    use anchor_lang::AccountDeserialize;
    use pyth_solana_receiver_sdk::config::{Config, DataSource};
    let [_, (_, account)] = Routers::new(0).accounts(&Stack::REC2, 0);
    assert_eq!(account.data.len(), Config::LEN);
    let config = Config::try_deserialize(&mut account.data.as_slice()).unwrap();
    assert_eq!(
        (config.wormhole, config.minimum_signatures),
        (Stack::REC2.bridge, SIGNATURES)
    );
    assert_eq!(config.single_update_fee_in_lamports, FEE);
    let source = DataSource {
        chain: PYTHNET,
        emitter: emitter().into(),
    };
    assert_eq!(config.valid_data_sources, [source]);
}
