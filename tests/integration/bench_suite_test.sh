#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof bench --suite: steps in their order, on keys of the user's own, and what they come to.
# Environment: P11PROF, TOKEN (the fake token), ROOT (of the sources).
# shellcheck disable=SC2317

. "$(dirname "$0")/shell_test.sh"
. "$(dirname "$0")/bench_shell.sh"
need "${ROOT:?}" "$SOFTHSM" softhsm2-util pkcs11-tool python3

EXAMPLE=$ROOT/tests/data/benchmark-suite.toml
# The same with a tenth of the iterations: what is asked of it does not depend on their number.
SHORT=$WORK/benchmark-suite.toml
sed 's/0 }/ }/' "$EXAMPLE" >"$SHORT"

# shows TEXT: the last output does.
shows() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

# suite: what is read goes to $WORK/suite.toml.
suite() {
  cat >"$WORK/suite.toml"
}

# Order, counts, threads: on the fake token.
suite <<'END'
[[tests]]
name = "first"
operations = [
  { type = "sign", iterations = 120 },
  { type = "hash", algorithm = "SHA-256", data_size = "4KB", iterations = 90, threads = 3 },
  { type = "gen_random", size = "64B", duration = "50ms" },
]
[[tests]]
name = "second"
operations = [ { type = "sign" }, { type = "encrypt_aes", data_size = 100 } ]
END
check "a suite" bends 0 --suite "$WORK/suite.toml" --iterations 60 --seed 3 --format json
cp "$WORK/out" "$WORK/bench.json"
check "steps" is "first 1 rsa-2048-sign 32 1,first 2 sha-256 4096 3,first 3 random-32 64 1,second 1 rsa-2048-sign 32 1,second 2 aes-256-gcm-encrypt 100 1" \
  "SELECT group_concat(suite || ' ' || step || ' ' || test || ' ' || data_bytes || ' ' || threads)
  FROM (SELECT * FROM loads WHERE run_id = LAST ORDER BY load)"
check "each as often as it says" is "120,270,60,60" "SELECT group_concat(n) FROM (SELECT load,
  sum(count) AS n FROM load_threads WHERE run_id = LAST AND load <> 3 GROUP BY load)"
check "or as long" is 1 "SELECT sum(duration_ns) > 5e6 FROM bench_slice WHERE run = LAST AND load = 3"
check "one after the other" is "1,2,3,4,5" "SELECT group_concat(load) FROM (SELECT load
  FROM bench_slice WHERE run = LAST GROUP BY load ORDER BY min(start_ns))"
check "without a return" is 1 "SELECT min(e IS NULL OR e < s) FROM (SELECT min(start_ns) AS s,
  lag(max(start_ns)) OVER (ORDER BY load) AS e FROM bench_slice WHERE run = LAST GROUP BY load)"
check "the sizes are what is done" is 100 "SELECT group_concat(DISTINCT in_bytes) FROM operations
  WHERE run_id = LAST AND test = 'aes-256-gcm-encrypt' AND phase = 'measured'"
check "clean" token_is_clean
check "export says the same" "$P11PROF" export last --db "$DB" --output "$WORK/out"
check "to the byte" cmp "$WORK/out" "$WORK/bench.json"
check_schema "of its schema" "$WORK/bench.json"
check "totals are sums" python3 -c "import json, sys
d = json.load(open(sys.argv[1]))
for s in d['suites']:
    rows = [r for r in d['results'] if r['suite'] == s['suite']]
    ns = sum(w['duration_ns'] for r in rows for w in r['windows'])
    assert s['count'] == sum(r['count'] for r in rows)
    assert s['total_ns'] == sum(r['total_ns'] for r in rows)
    assert s['duration_ns'] == ns and abs(s['ops_per_s'] * ns / 1e9 - s['count']) < 0.01
assert [s['suite'] for s in d['suites']] == ['first', 'second']" "$WORK/bench.json"
check "a ready query tells steps apart" [ "$("$P11PROF" sql @bench-throughput --db "$DB" --format csv |
  tr -d '\r' | grep ^rsa-2048-sign, | cut -d, -f9 | sort | tr '\n' ' ')" = "first second " ]
check "a report" "$P11PROF" report last --db "$DB" >"$WORK/out"
check "has a table each" shows "Suite: second"
"$P11PROF" report last --db "$DB" --redact --format json >"$WORK/redacted"
check "it has no names" [ "$(grep -c '"suite":.*"suite [12]"' "$WORK/redacted")" = 7 ]
check "with a total" shows "all steps: 120 operations, in "
check "the same again" bends 0 --suite "$WORK/suite.toml" --iterations 60
"$P11PROF" compare --db "$DB" --threshold 10000% last~1 last >"$WORK/out" 2>&1
check "is compared step by step" shows "step 1 of second"
check "not with the test alone" bends 0 --test rsa-2048-sign --iterations 60
check "which is another row" not "$P11PROF" compare --db "$DB" last~1 last 2>/dev/null
check "a plan" bends 0 --suite "$WORK/suite.toml" --dry-run
check "has the steps" [ "$(grep -c . "$WORK/out")" = 6 ]
check "nothing recorded" bends 0 --suite "$WORK/suite.toml" --iterations 60 --record off
check "shows them too" shows "Suite: first"
check "--config is the same" bends 0 --config "$WORK/suite.toml" --iterations 10
RULES=errors=50
check "errors" bends 3 --suite "$WORK/suite.toml" --iterations 20
check "are in the total" shows "of them failed or wrong"
RULES=refuse=CKM_SHA256
check "what the token cannot do" bends 3 --suite "$WORK/suite.toml"
check "ends it" says "the suite is not run: sha-256 cannot be done"
RULES=
export RULES

# Wrong usage, before a token is touched.
suite <<'END'
[[tests]]
name = "again"
operations = [{ type = "sha-256", iterations = 5 }, { type = "sha-256", iterations = 7 }]
END
check "equal steps" bends 0 --suite "$WORK/suite.toml" --format prometheus
check "are two series" [ "$(sed -n 's/^p11prof_bench_operations_total.*suite="again",step=\("[0-9]*"\).*}/\1/p' \
  "$WORK/out" | tr '\n' ' ')" = '"1" 5 "2" 7 ' ]

suite <<'END'
[[tests]]
name = "breaks off"
operations = [{ type = "sha-256", iterations = 10000 }]
END
RULES=exit=3000
check "a module that ends in a slice" bends 3 --suite "$WORK/suite.toml" --slices 10 --format json
check "leaves the rate of the slices before" python3 -c "import json, sys
d = json.load(open(sys.argv[1]))
assert d['results'][0]['count'] > 1000
rate = d['results'][0]['ops_per_s']
assert abs(d['suites'][0]['ops_per_s'] / rate - 1) < 1e-3, (d['suites'][0], rate)" "$WORK/out"

# refuses TEXT OPTION...
refuses() {
  text=$1
  shift
  bends 2 "$@" && says "$text" && [ ! -s "$WORK/out" ] && [ ! -e "$LOG" ]
}
check "with --test" refuses "without --test" --suite "$EXAMPLE" --test sign
check "with --mix" refuses "without --test, --mix" --suite "$EXAMPLE" --mix sign:1
check "with --vs" refuses "without --test" --suite "$EXAMPLE" --vs same
check "with --key" refuses "names keys and sizes itself" --suite "$EXAMPLE" --key k
check "with sizes" refuses "names keys and sizes itself" --suite "$EXAMPLE" --data-sizes 1KB
check "with lists" refuses "one number of threads" --suite "$EXAMPLE" --threads 1,2
check "--create-keys alone" refuses "keys of a --suite" --create-keys
check "with --stress" refuses "without --suite and --mix" --suite "$EXAMPLE" --stress
check "two suites" refuses "given twice" --suite "$EXAMPLE" --config "$EXAMPLE"
check "no file" refuses "cannot be opened" --suite "$WORK/nowhere.toml"
printf '[[tests]]\nname = "a"\noperations = [\n  { type = "sgn\033[31m" } ]\n' | suite
check "a mistake has its place" refuses "suite.toml:4:" --suite "$WORK/suite.toml"
check "and does no harm" not grep -q "$(printf '\033')" "$WORK/notes"
printf '[[tests]]\nname = "a"\noperations = [ { type = "sign", pace = 5 } ]\n' | suite
check "an unknown key too" refuses "suite.toml:3:33: an operation has no 'pace'" --suite "$WORK/suite.toml"

# Keys of the user's own, on SoftHSM.
make_token
example() {
  PIN=$PIN "$P11PROF" bench --module "$SOFTHSM" --token-label test --pin-source env:PIN --db "$DB" \
    --suite "$SHORT" --quiet "$@" >"$WORK/out" 2>"$WORK/notes"
  code=$?
  [ "$code" = "$expected" ] || { cat "$WORK/notes" && false; }
}
objects() {
  pkcs11-tool --module "$SOFTHSM" --token-label test --login --pin "$PIN" --list-objects 2>/dev/null
}
expected=2
check "a key that is not there" example
check "is named with its place" says 'benchmark-suite.toml:5:3: the token has no key "code-sign-key"'
check "and what helps" says "--create-keys"
expected=0
check "keys that are made" example --create-keys
check "do all of it" shows "all steps: 120 operations"
check "are gone" [ -z "$(objects)" ]
make_key 01 code-sign-key RSA:3072
pkcs11-tool --module "$SOFTHSM" --token-label test --login --pin "$PIN" --keygen --key-type AES:16 \
  --id 02 --label doc-encrypt-key >/dev/null 2>&1
objects >"$WORK/before"
check "keys that are there" example
check "make the tests of their size" is "rsa-3072-sign,sha-256,rsa-3072-verify,random-32,aes-128-gcm-encrypt" \
  "SELECT group_concat(test) FROM (SELECT * FROM loads WHERE run_id = LAST ORDER BY load)"
check "of that data" is "1048576,1048576,1048576,32,10240" "SELECT group_concat(data_bytes)
  FROM (SELECT * FROM loads WHERE run_id = LAST ORDER BY load)"
check "the operation's data" is 1048576 "SELECT group_concat(DISTINCT in_bytes) FROM operations
  WHERE run_id = LAST AND test = 'rsa-3072-sign' AND phase = 'measured'"
objects >"$WORK/after"
check "and are as before" cmp "$WORK/before" "$WORK/after"
check "in two processes" example --processes 2
check "each does it" shows "all steps: 240 operations"

# The guide.
mkdir "$WORK/guide"
ln -s "$P11PROF" "$WORK/guide/p11prof"
cp "$SOFTHSM" "$WORK/guide/softhsm.so"
awk '/^## Suites/ { mine = 1 } /^## Two/ { mine = 0 } /^```/ { inside = /toml$/; next }
  mine && inside' "$ROOT/docs/benchmarking.md" >"$WORK/guide/benchmark-suite.toml"
check "the guide has the example" cmp "$EXAMPLE" "$WORK/guide/benchmark-suite.toml"
cp "$SHORT" "$WORK/guide/benchmark-suite.toml"
awk '/^## Suites/ { mine = 1 } /^## Two/ { mine = 0 } /^```/ { inside = /sh$/; next }
  mine && inside' "$ROOT/docs/benchmarking.md" >"$WORK/commands"
while IFS= read -r line; do
  check "the guide's: $line" env PATH="$WORK/guide:$PATH" PIN="$PIN" P11PROF_DB="$DB" \
    sh -c "cd '$WORK/guide' && $line" </dev/null >"$WORK/out" 2>"$WORK/notes"
  check "shows a suite" shows "Suite: Code Signing Workflow"
done <"$WORK/commands"
check "there are commands" [ "$(wc -l <"$WORK/commands")" = 2 ]

finish
