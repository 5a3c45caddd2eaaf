# Shortcuts for people. What continuous integration runs is .ci/run.

default:
    @just --list

# Every check and every test
check:
    scripts/test

# The same with the long variants
check-long:
    scripts/test --long

# The tests whose names contain PATTERN
test PATTERN="":
    cargo test {{ PATTERN }}

# A month in half a minute
demo:
    cargo run --release -- demo

bench:
    cargo bench

# Growth, latency and outages: `just load growth 10k 100k`
load *WORDS:
    cargo bench --bench load -- {{ WORDS }}

# Instructions of the hot operations beside the stored ones
counts:
    scripts/counts

fmt:
    cargo fmt

# The schemas that editors complete with
schemas:
    for kind in workspace channel flow segment smart-list campaign customers policy; do \
        cargo run --quiet -- schema $kind > schemas/$kind.json; \
    done

# The pages of the rules, from the rules' own documentation
rules:
    cargo test --test it the_pages_are_written_anew -- --ignored

# Licenses, sources and known weaknesses of the dependencies
audit:
    cargo deny check
