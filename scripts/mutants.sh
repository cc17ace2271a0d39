#!/usr/bin/env bash
# Changes the engine in every way that cargo-mutants knows, one at a time, and runs its tests on each: what no test notices must
# be listed in docs/reports/mutants.md with the reason why it changes nothing. First the engine's unit tests, which take a second;
# what they miss goes to its other tests, and what these miss to the sequences of crates/invariants.
#
# Resumes: what is known of this engine is in $CARGO_TARGET_DIR/mutants/known-*, by a hash of its sources without their tests;
# what was missed is tried again when any test has changed. Take the file away to begin anew. MUTANTS_JOBS says how many at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:?run this through make mutants}"
version=27.1.0
promised=95
jobs=${MUTANTS_JOBS:-$(nproc)}
work=$CARGO_TARGET_DIR/mutants
tools=${BREAKWATER_CACHE:-$HOME/.cache/breakwater}/tools/cargo-mutants-$version
figures=${BREAKWATER_ASSURANCE:-$PWD/target/assurance}
unset CARGO_TARGET_DIR
mkdir -p "$work" "$figures"

[[ -x $tools/bin/cargo-mutants ]] ||
  cargo install cargo-mutants --version "=$version" --locked --root "$tools" --target-dir "$work/install"
export PATH=$tools/bin:$PATH
# The same random cases for every mutant, so that a run can be repeated; and none remembered from mutant to mutant.
export PROPTEST_RNG_SEED=9 PROPTEST_DISABLE_FAILURE_PERSISTENCE=true BREAKWATER_SEQUENCES=${BREAKWATER_SEQUENCES:-600}
export BREAKWATER_ASSURANCE=$work

# Engine and proof alone, in a workspace of their own: Cargo looks at far less for each mutant than in the whole one.
tree() {
  mkdir -p "$1/crates" "$1/docs"
  sed 's|^members = .*|members = ["crates/*"]|' Cargo.toml > "$1/Cargo.toml.new"
  cmp -s "$1/Cargo.toml.new" "$1/Cargo.toml" || cp "$1/Cargo.toml.new" "$1/Cargo.toml"
  [[ -f $1/Cargo.lock ]] || cp Cargo.lock "$1/"
  cp docs/*.md "$1/docs/"
  # By content: an interrupted run may have left a mutant behind, and what is as it was must keep its time.
  local file
  while IFS= read -r file; do
    cmp -s "$file" "$1/$file" || install -D -m 644 "$file" "$1/$file"
  done < <(find crates/engine crates/invariants -type f)
  (cd "$1" && find crates -type f) | while IFS= read -r file; do [[ -f $file ]] || rm "$1/$file"; done
  # A crate that has gone leaves its folder, which Cargo would take for a member.
  find "$1/crates" -type d -empty -delete
}
rules() { find crates/engine/src -name '*.rs' ! -name tests.rs ! -path '*/tests/*' | LC_ALL=C sort | while IFS= read -r file; do
  echo "$file"; sed '/^#\[cfg(test)\]$/,$d; /^$/d' "$file"; done; cat crates/engine/mutants.toml; }
known=$work/known-$(rules | sha256sum | cut -c1-16)
touch "$known"
# Other tests may notice what these did not.
tests=$(find crates/engine crates/invariants -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum)
[[ -f $known.tests && $(<"$known.tests") == "$tests" ]] || sed -i '/\tmissed\t/d' "$known"
echo "$tests" > "$known.tests"

# What a run of cargo-mutants found, added to what is known: stage, outcome, mutant.
note() { # stage, folder
  local outcome
  for outcome in caught timeout missed unviable; do
    [[ ! -f $2/mutants.out/$outcome.txt ]] || sed "s/^/$1\t$outcome\t/" "$2/mutants.out/$outcome.txt" >> "$known"
  done
  rm -rf "$2/mutants.out" "$2/mutants.out.old"
}
judged() { awk -F '\t' -v stage="$1" '$2 != "missed" || $1 == stage { print $3 }' "$known" | LC_ALL=C sort -u; }

stage() { # number, what it is, arguments of cargo-mutants
  local number=$1 what=$2 job pids=()
  shift 2
  for ((job = 0; job < jobs; job++)); do note "$number" "$work/out-$job"; done
  LC_ALL=C comm -23 <(LC_ALL=C sort "$work/all") <(judged "$number") > "$work/rest"
  local rest; rest=$(wc -l < "$work/rest")
  echo "stage $number, $what: $rest mutants"
  [[ $rest -gt 0 ]] || return 0
  for ((job = 0; job < jobs; job++)); do
    awk -v job="$job" -v jobs="$jobs" -v rest="$rest" 'int((NR - 1) * jobs / rest) == job' "$work/rest" > "$work/part-$job"
    [[ -s $work/part-$job ]] || continue
    # Mutants that leave out a field are always examined, whatever is asked for: a few are judged again.
    { cat crates/engine/mutants.toml; echo 'examine_re = ['
      sed "s/[][\\\\.*^\$(){}?+|\/]/\\\\&/g; s/'/./g; s/.*/  '^&\$',/" "$work/part-$job"; echo ']'; } > "$work/config-$job"
    mkdir -p "$work/out-$job"
    # What loops for ever is stopped by the seconds it computes, which are the same on a busy machine; the clock's are not.
    (cd "$work/tree-$job" && ulimit -t 60 &&
      nice -n 10 cargo mutants --in-place --config "$work/config-$job" --baseline skip --timeout 7200 \
      --no-times --colors never --package breakwater-engine --output "$work/out-$job" "$@") > "$work/log-$job" 2>&1 &
    pids+=($!)
  done
  while kill -0 "${pids[@]}" 2>/dev/null; do
    sleep 30
    cat "$work"/out-*/mutants.out/{caught,timeout,unviable,missed}.txt 2>/dev/null | wc -l | sed 's/$/ done/'
  done
  wait || true
  for ((job = 0; job < jobs; job++)); do note "$number" "$work/out-$job"; done
  LC_ALL=C comm -23 "$work/rest" <(judged "$number") > "$work/left"
  [[ ! -s $work/left ]] || { cat "$work"/log-* | tail -5; echo "$(wc -l < "$work/left") mutants are not judged yet: run it again" >&2; exit 1; }
}

tree "$work/tree-0"
(cd "$work/tree-0" && cargo mutants --list --config crates/engine/mutants.toml --package breakwater-engine) |
  LC_ALL=C sort -u > "$work/all"
# The tests must pass as they are, or nothing that follows means anything.
(cd "$work/tree-0" && cargo test --quiet --profile mutants --package breakwater-engine --package breakwater-invariants --lib --tests) \
  > "$work/log" 2>&1 || { tail -30 "$work/log"; echo "the tests fail without any mutant" >&2; exit 1; }
for ((job = 1; job < jobs; job++)); do
  [[ -d $work/tree-$job ]] || cp -a "$work/tree-0" "$work/tree-$job"
  tree "$work/tree-$job"
done
# The cascade curve's tests take ten times as long as all others together, unoptimized.
stage 1 "the engine's unit tests but those of the cascade curve" -- --lib -- --skip views::cascade
stage 2 "the engine's other tests" --cargo-arg=--tests
stage 3 "the sequences" --test-package breakwater-invariants --cargo-arg=--test=sequences

# A mutant that no stage caught must be in docs/reports/mutants.md, as `file: what is changed`, without the line's number; and nothing
# else must be.
outcome() { awk -F '\t' -v wanted="$1" '$2 ~ wanted { print $3 }' "$known" | LC_ALL=C sort -u | LC_ALL=C comm -12 - "$work/all"; }
LC_ALL=C comm -23 "$work/all" <(outcome 'caught|timeout|unviable') > "$work/survivors"
short() { sed -E 's/^crates\/engine\/src\/([^:]+):[0-9]+:[0-9]+: /\1: /'; }
sed -n 's/^- `\(.*\)`: .*/\1/p' docs/reports/mutants.md | LC_ALL=C sort -u > "$work/explained"
short < "$work/survivors" | LC_ALL=C sort -u > "$work/short"
LC_ALL=C comm -13 "$work/explained" "$work/short" | sed 's/^/no test notices: /' | tee "$work/unexplained"
LC_ALL=C comm -23 "$work/explained" "$work/short" | sed 's/^/explained, but not a survivor: /' | tee "$work/stale"
all=$(wc -l < "$work/all"); unviable=$(outcome unviable | wc -l); missed=$(wc -l < "$work/survivors")
viable=$((all - unviable)); caught=$((viable - missed))
explained=$(short < "$work/survivors" | grep -cFxf "$work/explained" || true)
printf '{"mutants_viable": %d, "mutants_caught": %d, "mutants_explained": %d}\n' "$viable" "$caught" "$explained" \
  > "$figures/mutants.json"
echo "$caught of $viable mutants caught, $missed not, of which explained: $explained"
[[ $((caught * 100)) -ge $((viable * promised)) && ! -s $work/unexplained && ! -s $work/stale ]]
