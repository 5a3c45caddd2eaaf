//! Owns the tests of the engine: its real loops, stepped by hand over a real store.

mod outbox;
mod people;
mod rig;
mod written;

mod ahead;
mod by_hand;
mod by_rating;
mod caps;
mod connecting;
mod consent;
mod draining;
mod editing;
mod entering;
mod exiting;
mod hand_clock;
mod in_flow;
mod indexing;
mod ledger;
mod pausing;
mod permitting;
mod property;
mod racing;
mod rating;
mod reconciling;
mod reentering;
mod restarting;
mod retrying;
mod segments;
mod shown;
mod throttling;
mod timing;
mod walking;
mod week;
