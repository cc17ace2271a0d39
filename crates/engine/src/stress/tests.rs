use super::*;
use crate::{config::tests::CONFIG, num::ONE, pool::Pool};

#[test]
fn placeholder() {
    assert_eq!(CONFIG.stress_fall, Bps(3_800));
    let _ = (ONE, Pool::new(0));
}
