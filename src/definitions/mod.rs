//! Owns what people define without a file: checked like a file, stored, and in force at once.

mod approval;
pub mod change;
mod draft;
pub mod export;
pub mod facts;
pub mod publishing;
pub mod refusal;
pub mod survey;
pub mod works;
