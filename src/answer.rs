//! The HTTP response made from a denial: status, header fields and a body that the caller reads.
//!
//! Status and header fields are the same in every format, so that a program can act on an answer
//! for any reader. [`refusal`] is the table of all header fields and members.

mod asker;
mod body;
mod field;
mod headers;
mod message;
mod negotiate;
mod own;
mod page;
mod problem;
mod quota_line;
pub mod refusal;
mod responder;
mod response;
mod status;
mod status_title;
mod style;
mod usage;

pub use asker::{Asker, Place};
pub use headers::passed_headers;
pub use negotiate::Format;
pub use own::json_answer;
pub use problem::problem_json;
pub use refusal::{CAUSE_HEADER, EXPOSED_HEADERS, NOTICE_HEADER};
pub use responder::Responder;
pub use response::{Answer, Headers};
pub use status_title::status_title;
pub use usage::{credit_json, credits_json, usage_json};
