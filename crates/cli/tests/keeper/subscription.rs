//! News that the keeper hears while its WebSocket holds, breaks, and is there again.

use super::{Keeper, cable::Cable, deployment::Deployment, free_port, metric, until};

#[test]
fn a_broken_subscription_is_made_up_for_and_made_again() {
    let mut deployment = Deployment::build(20);
    deployment.set_price(100);
    let cable = Cable::to(deployment.socket.trim_start_matches("ws://").trim_end_matches('/'));
    deployment.socket = format!("ws://{}", cable.address);
    let urls = [deployment.net.rpc_url().to_owned()];
    let (_, file) = deployment.keeper(105);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    // It sends nothing, so whatever it learns it learns from others; and it does not load all accounts because of their
    // age.
    let options = ["--dry-run", "--resync-seconds", "86400", "--listen", &listen];
    let keeper = Keeper::start(&deployment, &file, &urls, &options);
    let value = |name: &str| metric(port, &format!("breakwater_keeper_{name}"));
    let loads = || value("resyncs_total");

    // At the start, and because what changed before the subscription was not heard.
    until("it listens", || loads() == 2);
    let heard = value("updates_total");
    deployment.borrow(1);
    until("it hears of a change", || {
        value("updates_total") > heard && value("debt_shares_missing") == 0
    });
    assert_eq!((loads(), value("reconnects_total")), (2, 0));

    cable.cut();
    let heard = value("updates_total");
    deployment.borrow(2);
    until("it loads all accounts for it", || {
        loads() == 3 && value("debt_shares_missing") == 0
    });
    until("it tries to connect again", || cable.refused() > 0);
    assert_eq!(value("updates_total"), heard);

    cable.mend();
    until("it listens again", || loads() == 4);
    assert!(
        value("reconnects_total") >= 2,
        "the one that broke, and one that was refused"
    );
    deployment.borrow(3);
    until("it hears of changes again", || {
        value("updates_total") > heard && value("debt_shares_missing") == 0
    });
    assert_eq!(loads(), 4);
    let log = keeper.stop("-TERM");
    for line in [
        "subscription lost",
        "the accounts' debt is not that of the market's books",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    assert!(!log.contains("panicked"), "{log}");
}
