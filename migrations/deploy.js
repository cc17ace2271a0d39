// What `anchor migrate` runs, with the cluster and the wallet of Anchor.toml. It hands both to the command that does the work:
//
//     breakwater migrate --config FILE --url URL --keypair PATH
//
// BREAKWATER_CLI names the command if it is built already; otherwise Cargo builds it. BREAKWATER_MARKETS names the
// configuration files of this folder to take, separated by commas; otherwise it is all of them.
const { spawnSync } = require("node:child_process");
const { readdirSync } = require("node:fs");
const { homedir } = require("node:os");
const path = require("node:path");

function markets() {
  const { BREAKWATER_MARKETS } = process.env;
  const files = BREAKWATER_MARKETS
    ? BREAKWATER_MARKETS.split(",")
    : readdirSync(__dirname).filter((file) => file.endsWith(".toml")).sort();
  // Anchor runs this from another folder.
  return files.map((file) => path.resolve(__dirname, file));
}

module.exports = async function (provider) {
  const { ANCHOR_WALLET, BREAKWATER_CLI } = process.env;
  if (!ANCHOR_WALLET) throw new Error("ANCHOR_WALLET does not name the wallet's keypair file");
  const options = [
    "migrate",
    ...markets().flatMap((file) => ["--config", file]),
    ...["--url", provider.connection.rpcEndpoint],
    ...["--keypair", ANCHOR_WALLET.replace(/^~(?=\/)/, homedir())],
  ];
  const manifest = path.join(__dirname, "..", "Cargo.toml");
  const cargo = ["run", "--quiet", "--manifest-path", manifest, "--package", "breakwater-cli", "--"];
  const { error, status, signal } = BREAKWATER_CLI
    ? spawnSync(BREAKWATER_CLI, options, { stdio: "inherit" })
    : spawnSync("cargo", [...cargo, ...options], { stdio: "inherit" });
  if (error) throw error;
  // Anchor does not wait for this function, but a rejection ends Node with an error.
  if (status !== 0) throw new Error(`breakwater migrate failed: ${signal ?? `exit status ${status}`}`);
};
