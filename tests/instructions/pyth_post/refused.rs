//! What Pyth's programs refuse, each with its error and without a change.

use super::{NOTHING, SHARD, TREASURY, payer, post, poster, posting, sol, update, update_at, usdc, world};
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction, error::InstructionError};
use breakwater_client::pyth::{Draft, Poster, Stack, Update};
use breakwater_testkit::{
    Actor, START, World,
    pyth::{Quotation, Routers, usd},
};

/// Transactions that post SOL's price: the VAA's, the price's and the one that closes the account.
fn drafts(stack: Stack, update: &Update) -> Vec<Draft> {
    let drafts = posting(stack, &NOTHING).transactions(update, &[sol()]).unwrap();
    assert_eq!(drafts.len(), 2);
    drafts
}

/// The VAA's transaction is refused.
#[track_caller]
fn refused(world: &mut World, stack: Stack, update: &Update, error: &str) {
    let drafts = drafts(stack, update);
    let failure = world.assert_error_unchanged(&drafts[0].instructions, &[], error);
    assert_eq!(failure.program, Some(stack.bridge));
}

/// The VAA's transaction goes through, that of the price is refused.
#[track_caller]
fn refused_price(world: &mut World, stack: Stack, update: &Update, error: &str) {
    let before = world.snapshot();
    let drafts = drafts(stack, update);
    world.send(&drafts[0].instructions, &[]).unwrap();
    let failure = world.assert_error_unchanged(&drafts[1].instructions, &[], error);
    assert_eq!(failure.program, Some(stack.receiver));
    world.restore(&before);
}

#[test]
fn signatures_that_do_not_count() {
    for stack in Stack::ALL {
        let (routers, strangers) = (Routers::new(1), Routers::new(2));
        let (mut world, _) = world(stack, &routers);
        let good = update(&world, &routers, usd(100));
        let with = |edit: &dyn Fn(&mut Update)| {
            let mut update = good.clone();
            edit(&mut update);
            update
        };
        let forged = with(&|update| update.vaa.signatures[1] = strangers.sign(1, &update.vaa.body));
        refused(&mut world, stack, &forged, "InvalidGuardianKeyRecovery");
        let nobody = with(&|update| update.vaa.signatures[2].rs = [0; 64]);
        refused(&mut world, stack, &nobody, "InvalidSignature");
        let few = with(&|update| update.vaa.signatures.truncate(2));
        refused(&mut world, stack, &few, "NoQuorum");
        let twice = with(&|update| update.vaa.signatures[1] = update.vaa.signatures[0]);
        refused(&mut world, stack, &twice, "InvalidGuardianIndex");
        let sixth = with(&|update| update.vaa.signatures[2].signer = 5);
        refused(&mut world, stack, &sixth, "InvalidGuardianIndex");
        let other_set = update(&world, &strangers, usd(100));
        refused(&mut world, stack, &other_set, "AccountNotInitialized");
    }
}

#[test]
fn a_set_that_has_ended_signs_no_more_and_the_next_one_does() {
    for stack in Stack::ALL {
        let (old, new) = (Routers::new(1), Routers::new(2));
        let (mut world, market) = world(stack, &old);
        let day = u32::try_from(START + 86_400).unwrap();
        world.believe_until(&old, day);
        world.believe(&new);
        let signed_by = |world: &World, routers| update(world, routers, usd(100));
        world.advance_silently(86_400);
        let update = signed_by(&world, &old);
        post(&mut world, stack, &update, &NOTHING, &[]);
        world.advance_silently(1);
        let update = signed_by(&world, &old);
        refused(&mut world, stack, &update, "GuardianSetExpired");
        let update = signed_by(&world, &new);
        post(&mut world, stack, &update, &NOTHING, &[]);
        world.observe_price(&market).unwrap();
    }
}

#[test]
fn prices_that_were_not_signed() {
    for stack in Stack::ALL {
        let routers = Routers::new(1);
        let (mut world, _) = world(stack, &routers);
        let good = update(&world, &routers, usd(100));
        let mut changed = good.clone();
        changed.prices[0].message.price += 1;
        refused_price(&mut world, stack, &changed, "InvalidPriceUpdate");
        let mut proof = good.clone();
        proof.prices[0].proof[11][19] ^= 1;
        refused_price(&mut world, stack, &proof, "InvalidPriceUpdate");
        // Signed by the routers, but not Pyth's.
        let mut source = good.clone();
        source.vaa.body.emitter[0] ^= 1;
        source.vaa.signatures = (0..3).map(|signer| routers.sign(signer, &source.vaa.body)).collect();
        refused_price(&mut world, stack, &source, "InvalidDataSource");
    }
}

/// `update_price_feed` with what the caller changes.
fn price(stack: Stack, update: &Update, edit: impl FnOnce(&mut Instruction)) -> Instruction {
    let account = posting(stack, &NOTHING).vaa_account().unwrap();
    let price = update.price(&sol()).unwrap();
    let mut price = poster(stack).update_price_feed(&account, price, SHARD).unwrap();
    edit(&mut price);
    price
}

#[test]
fn accounts_that_are_not_what_they_are_taken_for() {
    for (stack, other) in [(Stack::REC5, Stack::REC2), (Stack::REC2, Stack::REC5)] {
        let routers = Routers::new(1);
        let (mut world, _) = world(stack, &routers);
        let update = update(&world, &routers, usd(100));
        let drafts = drafts(stack, &update);
        world.send(&drafts[0].instructions, &[]).unwrap();
        let mut refuse = |instruction: Instruction, error: &str| {
            world.assert_error_unchanged(&[instruction], &[], error);
        };
        let account = |number: usize, key| price(stack, &update, |price| price.accounts[number].pubkey = key);
        refuse(account(1, other.receiver), "InvalidProgramId");
        refuse(account(2, other.config()), "WrongVaaOwner");
        refuse(account(2, stack.signer_set(1)), "AccountDidNotDeserialize");
        refuse(account(3, other.config()), "AccountOwnedByWrongProgram");
        refuse(account(4, stack.treasury(TREASURY + 1)), "ConstraintSeeds");
        refuse(account(5, stack.price_account(SHARD, &usdc())), "ConstraintSeeds");
        // The price of one feed for the account of another.
        let mixed = price(stack, &update, |price| {
            let id = price.data.len() - 32;
            price.data[id..].copy_from_slice(&usdc());
            price.accounts[5].pubkey = stack.price_account(SHARD, &usdc());
        });
        refuse(mixed, "PriceFeedMessageMismatch");
        // An instruction of another program.
        let strange = price(stack, &update, |price| price.program_id = stack.bridge);
        refuse(strange, "InstructionFallbackNotFound");
        let cut = price(stack, &update, |price| price.data.truncate(100));
        refuse(cut, "InstructionDidNotDeserialize");
    }
}

#[test]
fn vaas_that_are_not_verified_and_accounts_of_others() {
    for stack in Stack::ALL {
        let routers = Routers::new(1);
        let (mut world, _) = world(stack, &routers);
        let update = update(&world, &routers, usd(100));
        let drafts = drafts(stack, &update);
        let [steps @ .., verify] = &drafts[0].instructions[..] else {
            panic!("{drafts:?}")
        };
        let account = posting(stack, &NOTHING).vaa_account().unwrap();
        let mallory = world.actor("mallory");
        let of_mallory = Poster {
            payer: mallory.key(),
            ..poster(stack)
        };
        world.send(steps, &[]).unwrap();
        let mut refuse = |instruction: Instruction, signers: &[&Actor], error: &str| {
            world.assert_error_unchanged(&[instruction], signers, error);
        };
        refuse(price(stack, &update, |_| ()), &[], "UnverifiedVaa");
        let write = |poster: Poster, index| poster.write_encoded_vaa(&account, index, &[1]).unwrap();
        refuse(write(of_mallory, 0), &[&mallory], "WriteAuthorityMismatch");
        refuse(write(poster(stack), 292), &[], "DataOverflow");
        refuse(
            poster(stack).write_encoded_vaa(&account, 0, &[]).unwrap(),
            &[],
            "InvalidInstructionArgument",
        );
        refuse(
            of_mallory.close_encoded_vaa(&account),
            &[&mallory],
            "WriteAuthorityMismatch",
        );
        refuse(poster(stack).init_encoded_vaa(&account), &[], "AccountNotZeroed");
        let mut unsigned = write(poster(stack), 0);
        unsigned.accounts[0] = AccountMeta::new_readonly(mallory.key(), false);
        refuse(unsigned, &[], "AccountNotSigner");
        world.send(std::slice::from_ref(verify), &[]).unwrap();
        let mut refuse = |instruction: Instruction, error: &str| {
            world.assert_error_unchanged(&[instruction], &[], error);
        };
        refuse(write(poster(stack), 0), "NotInWritingStatus");
        refuse(verify.clone(), "NotInWritingStatus");
        world.send(&drafts[1].instructions, &[]).unwrap();
    }
}

/// An account of the receiver is written to by who wrote to it first, and signs itself.
#[test]
fn accounts_of_the_receiver_have_one_writer() {
    let (stack, routers) = (Stack::REC2, Routers::new(1));
    let (mut world, _) = world(stack, &routers);
    let (account, mallory) = (Actor::new("collateral's price"), world.actor("mallory"));
    let update = update_at(&routers, usd(100), START);
    let post = |poster: Poster| {
        let price = update.price(&sol()).unwrap();
        poster.post_update_atomic(&update.vaa, price, &account.key()).unwrap()
    };
    let of_mallory = Poster {
        payer: mallory.key(),
        ..poster(stack)
    };
    let mut unsigned = post(poster(stack));
    unsigned.accounts[4].is_signer = false;
    let privilege = InstructionError::PrivilegeEscalation;
    world.assert_error_unchanged(&[unsigned.clone()], &[], privilege);
    world.send(&[post(poster(stack))], &[&account]).unwrap();
    world.assert_error_unchanged(&[unsigned], &[], "ConstraintSigner");
    world.assert_error_unchanged(&[post(of_mallory)], &[&mallory, &account], "WrongWriteAuthority");
    world.assert_error_unchanged(
        &[of_mallory.reclaim_rent(&account.key())],
        &[&mallory],
        "WrongWriteAuthority",
    );
    // Through the bridge as well: `post_update`.
    let drafts = drafts(stack, &update);
    world.send(&drafts[0].instructions, &[]).unwrap();
    let vaa = posting(stack, &NOTHING).vaa_account().unwrap();
    let price = update.price(&sol()).unwrap();
    let post = |poster: Poster| poster.post_update(&vaa, price, &account.key()).unwrap();
    world.assert_error_unchanged(&[post(of_mallory)], &[&mallory, &account], "WrongWriteAuthority");
    world.send(&[post(poster(stack))], &[&account]).unwrap();
    let quotation = Quotation::settled(usd(100), -8, usd(100).unsigned_abs() / 1_000, START);
    let full = breakwater_testkit::pyth::Verification::Full;
    let expected = super::written(stack, quotation, payer().key(), full, world.slot());
    assert_eq!(world.existing_account(&account.key()).data, expected);
}
