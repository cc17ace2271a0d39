//! Moments at which every instruction that moves tokens would go through, and some that move none.

use crate::{
    backing::{backed, cents, stands_at},
    governance::idl,
    scene::{SOL, Scene, USDC},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use breakwater_testkit::{Actor, MarketSpec, Position, World, ix};

/// An instruction by the name it has in the IDL, and who signs it.
pub struct Move {
    pub name: &'static str,
    pub instruction: Instruction,
    pub signer: Actor,
}

impl Move {
    /// True if the account is among the instruction's.
    pub fn names(&self, account: &Pubkey) -> bool {
        self.instruction.accounts.iter().any(|meta| meta.pubkey == *account)
    }
}

/// The instructions on an existing market whose accounts in the IDL include this one, sorted.
pub fn with_account(name: &str) -> Vec<String> {
    idl::instructions()
        .into_iter()
        .filter(|(instruction, slots)| instruction != "create_market" && slots.iter().any(|slot| slot.name == name))
        .map(|(instruction, _)| instruction)
        .collect()
}

/// One moment.
pub struct Case {
    pub scene: Scene,
    gina: Actor,
    /// Alice's second account, which can be liquidated.
    due: Position,
    /// Mallory's, which may borrow more.
    healthy: Position,
    has_room: bool,
}

impl Case {
    /// The backstop holds inventory, owes Kate a bounty, and has guardians' and protocol's money that may be taken out.
    pub fn with_headroom(world: World, spec: &MarketSpec) -> Self {
        let (scene, gina) = backed(world, spec, 100_000 * USDC, 1_000 * USDC);
        let mut case = Self::with_positions(scene, gina, true);
        let Scene { world, market, .. } = &mut case.scene;
        let authority = world.authority().clone();
        world.fund(&authority, &market.quote_mint, 0);
        world.guardian_request(market, &case.gina, 1_000_000 * USDC).unwrap();
        world.queue_equity_withdrawal(market, 1_000 * USDC).unwrap();
        let config = world.market_state(market).config;
        world.advance(config.equity_withdrawal_delay.max(config.guardian_cooldown));
        stands_at(&mut case.scene, cents(80_00));
        let Scene {
            world, kate, position, ..
        } = &mut case.scene;
        world.liquidate(kate, position).unwrap();
        // The schedule has something to sell by then.
        world.advance(3_600);
        case
    }

    /// The backstop has nothing: it would owe all that it takes over.
    pub fn without_headroom(world: World, spec: &MarketSpec) -> Self {
        let (scene, gina) = backed(world, spec, 0, 0);
        let mut case = Self::with_positions(scene, gina, false);
        stands_at(&mut case.scene, cents(80_00));
        case
    }

    fn with_positions(mut scene: Scene, gina: Actor, has_room: bool) -> Self {
        let Scene {
            world,
            market,
            alice,
            mallory,
            ..
        } = &mut scene;
        let due = world.open(market, alice, 1).unwrap();
        world.deposit(&due, 100 * SOL).unwrap();
        world.borrow(&due, 6_500 * USDC).unwrap();
        let healthy = world.open(market, mallory, 0).unwrap();
        world.deposit(&healthy, 100 * SOL).unwrap();
        world.borrow(&healthy, 1_000 * USDC).unwrap();
        world.supply(market, mallory, 1_000 * USDC).unwrap();
        world.next_slot();
        Self {
            scene,
            gina,
            due,
            healthy,
            has_room,
        }
    }

    /// Every instruction that goes through at this moment.
    pub fn moves(&self) -> Vec<Move> {
        let Scene {
            world,
            market,
            lena,
            mallory,
            kate,
            ..
        } = &self.scene;
        let mut moves = Vec::new();
        let mut add = |name, signer: &Actor, instruction| {
            moves.push(Move {
                name,
                instruction,
                signer: signer.clone(),
            });
        };
        let key = mallory.key();
        if self.has_room {
            let (authority, guardian) = (world.authority(), &self.gina);
            add("buy_inventory", mallory, ix::buy_inventory(market, &key, SOL, u64::MAX));
            add(
                "buy_inventory_for",
                mallory,
                ix::buy_inventory_for(market, &key, 80 * USDC, 0),
            );
            add("claim_bounty", kate, ix::claim_bounty(market, &kate.key()));
            add(
                "withdraw_equity",
                authority,
                ix::withdraw_equity(market, &authority.key()),
            );
            add(
                "guardian_deposit",
                guardian,
                ix::guardian_deposit(market, &guardian.key(), USDC, 0, u64::MAX),
            );
            add(
                "guardian_withdraw",
                guardian,
                ix::guardian_withdraw(market, &guardian.key(), USDC, 0),
            );
            let until = world.slot() + 10_000;
            // These move no tokens.
            add(
                "guardian_request",
                guardian,
                ix::guardian_request(market, &guardian.key(), 0, 0),
            );
            add(
                "queue_equity_withdrawal",
                authority,
                ix::queue_equity_withdrawal(market, &authority.key(), 0, until),
            );
            add("liquidate", kate, ix::liquidate(market, &self.due.address, &kate.key()));
            add(
                "liquidate_batch",
                kate,
                ix::liquidate_batch(market, &kate.key(), &[self.due.address]),
            );
            add("open_account", mallory, ix::open_account(market, &key, &key, 9));
        }
        for (name, actor) in [("supply", lena), ("supply", mallory)] {
            add(name, actor, ix::supply(market, &actor.key(), USDC, 0));
        }
        add("withdraw", lena, ix::withdraw(market, &lena.key(), USDC, 0));
        add("withdraw", mallory, ix::withdraw(market, &key, USDC, 0));
        add("borrow", mallory, ix::borrow(market, &self.healthy.address, &key, USDC));
        add("repay", mallory, ix::repay(market, &self.healthy.address, &key, USDC));
        // For Mallory, by somebody whose account is not hers.
        add(
            "repay",
            lena,
            ix::repay(market, &self.healthy.address, &lena.key(), USDC),
        );
        add(
            "deposit_collateral",
            mallory,
            ix::deposit_collateral(market, &self.due.address, &key, SOL),
        );
        add(
            "withdraw_collateral",
            mallory,
            ix::withdraw_collateral(market, &self.healthy.address, &key, SOL),
        );
        add("fund_backstop", lena, ix::fund_backstop(market, &lena.key(), USDC));
        moves
    }

    /// Both vaults, and the accounts of everybody who moves tokens.
    pub fn token_accounts(&self) -> Vec<Pubkey> {
        let Scene {
            market,
            lena,
            alice,
            mallory,
            kate,
            ..
        } = &self.scene;
        let mut accounts = vec![market.quote_vault, market.collateral_vault];
        for actor in [lena, mallory, kate, &self.gina] {
            accounts.push(market.quote_of(&actor.key()));
        }
        for actor in [alice, mallory] {
            accounts.push(market.collateral_of(&actor.key()));
        }
        accounts
    }
}
