//! Gains of attacks, and the time that others waited: asserted against their limits, and left for `make attacks` to
//! join.

use std::{fs, path::Path};

/// Where figures go, one file each; nowhere unless asked.
const FOLDER: &str = "BREAKWATER_ATTACKS";

fn leave(kind: &str, name: &str, line: &str) {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder).join(kind);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), line).unwrap();
}

/// An attack gained so many atoms; it may be so many at most.
#[track_caller]
pub fn gained(name: &str, gain: i128, limit: i128) {
    let ok = gain <= limit;
    leave(
        "attacks",
        name,
        &format!("\"{name}\": {{\"gain\": {gain}, \"limit\": {limit}, \"ok\": {ok}}}"),
    );
    assert!(ok, "{name} gained {gain}, more than {limit}");
}

/// With an adversary who sends so many transactions a minute, an action passed after so many seconds at most, of which
/// it may take so many.
#[track_caller]
pub fn passed(action: &str, budget_per_minute: u32, passed_after_s: u32, limit_s: u32) {
    let ok = passed_after_s <= limit_s;
    leave(
        "liveness",
        action,
        &format!(
            "\"{action}\": {{\"budget_per_minute\": {budget_per_minute}, \"passed_after_s\": {passed_after_s}, \
             \"limit_s\": {limit_s}, \"ok\": {ok}}}"
        ),
    );
    assert!(
        ok,
        "{action} passed after {passed_after_s} seconds, more than {limit_s}"
    );
}
