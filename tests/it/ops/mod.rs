//! Owns the tests of operation: status, explanations, pauses, the demo.
