//! Every bit of what is posted counts, on chain as on the host.

use super::{payer, poster, sol, update, world};
use breakwater_client::pyth::Stack;
use breakwater_testkit::{
    Actor,
    pyth::{Routers, usd},
};

/// One bit of each byte of VAA, message and proof in `post_update_atomic`, so that the runtime's own hashes and
/// signatures are what refuses: nothing is written.
#[test]
fn a_flipped_bit_is_refused_on_chain() {
    let (stack, routers) = (Stack::REC2, Routers::new(1));
    let (mut world, _) = world(stack, &routers);
    let account = Actor::new("collateral's price");
    let update = update(&world, &routers, usd(99));
    let price = update.price(&sol()).unwrap();
    let post = poster(stack)
        .post_update_atomic(&update.vaa, price, &account.key())
        .unwrap();
    // Behind the discriminator: the VAA, the message and the proof, each behind a length.
    let (vaa, message, proof) = (12..304, 308..393, 397..637);
    assert_eq!(post.data.len(), 638);
    let expected = |at: usize| -> &[&str] {
        match at {
            12 => &["InvalidVaaVersion"],
            13..17 => &["GuardianSetMismatch"],
            // The number of signatures: the body is elsewhere then, or too few are left.
            17 => &[
                "InsufficientGuardianSignatures",
                "DeserializeVaaFailed",
                "InvalidGuardianOrder",
                "InvalidGuardianIndex",
            ],
            18..216 => &[
                "InvalidGuardianOrder",
                "InvalidGuardianIndex",
                "InvalidSignature",
                "InvalidGuardianKeyRecovery",
            ],
            216..304 => &["InvalidSignature", "InvalidGuardianKeyRecovery"],
            _ => &["InvalidPriceUpdate"],
        }
    };
    for at in vaa.chain(message).chain(proof) {
        let mut flipped = post.clone();
        flipped.data[at] ^= 1 << (at % 8);
        let result = world.expect_unchanged(|world| world.send(&[flipped], &[&account]));
        let failure = result.unwrap_err();
        assert!(expected(at).contains(&failure.name.as_str()), "byte {at}: {failure:?}");
        assert_eq!(failure.program, Some(stack.receiver));
    }
    assert_eq!(world.account(&account.key()), None);
    world.send(&[post], &[&account]).unwrap();
    assert_eq!(
        world.existing_account(&account.key()).data[8..40],
        payer().key().to_bytes()
    );
}
