//! The examples in every command's `--help`, run as they stand.

use std::process::{Command, Stdio};

use crate::net::{Localnet, terminate, told};

/// Help that a command prints.
fn help(words: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_breakwater"))
        .args(words)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command without commands of its own, and its help.
fn leaves(words: &[String]) -> Vec<(Vec<String>, String)> {
    let text = help(words);
    let Some((_, list)) = text.split_once("\nCommands:\n") else {
        return vec![(words.to_vec(), text)];
    };
    let names = list
        .lines()
        .take_while(|line| line.starts_with("  "))
        // A description that goes on is further in.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    names
        .flat_map(|name| leaves(&[words, &[name.to_owned()]].concat()))
        .collect()
}

#[test]
fn every_example_works() {
    let net = Localnet::start("examples", &[]);
    let leaves = leaves(&[]);
    let names: Vec<String> = leaves.iter().map(|(words, _)| words.join(" ")).collect();
    for known in [
        "localnet",
        "price",
        "market show",
        "depth",
        "guardian run",
        "migrate",
        "lab",
    ] {
        assert!(names.iter().any(|name| name == known), "{known}: {names:?}");
    }
    for (words, text) in &leaves {
        let name = words.join(" ");
        let (_, examples) = text
            .split_once("Example")
            .unwrap_or_else(|| panic!("{name} has no example"));
        let mut own = 0;
        for line in examples.lines().filter_map(|line| line.strip_prefix("  breakwater ")) {
            own += usize::from(line.split(" | breakwater ").any(|part| part.starts_with(&name)));
            let line = line
                .replace("http://127.0.0.1:8899", net.url())
                .replace("http://127.0.0.1:8901/hermes", net.hermes());
            let (before, line) = line.split_once(" | breakwater ").unwrap_or(("", &line));
            let line: Vec<&str> = line.split(' ').collect();
            if line[0] == "localnet" {
                let mut process = net
                    .command(&[&line[..], &["--json"]].concat())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                assert_eq!(told(&mut process)["name"], "SOL/USDC");
                terminate(&process);
                assert_eq!(process.wait().unwrap().code(), Some(0));
                continue;
            }
            let output = if before.is_empty() {
                net.run(&line)
            } else {
                let before: Vec<&str> = before.split(' ').collect();
                net.run_with(&line, &net.run(&before).stdout)
            };
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{line:?}: {said}");
            // The keeper logs.
            assert!(
                !output.stdout.is_empty() || !output.stderr.is_empty(),
                "{line:?} said nothing"
            );
        }
        assert!(own > 0, "{name}: no example of its own");
    }
    assert_eq!(net.end(), Some(0));
}
