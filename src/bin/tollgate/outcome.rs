//! The result of a command, and its end.

use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

/// The result of a command, for a person and for a program.
pub(crate) struct Outcome {
    text: String,
    json: Value,
    complaint: Option<String>,
    code: u8,
}

impl Outcome {
    /// The answer is yes, or it is done.
    pub(crate) fn fine(text: impl Into<String>, json: Value) -> Self {
        Self::of(true, text, json)
    }

    /// An answer: yes, or no.
    pub(crate) fn of(is_fine: bool, text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, complaint: None, code: u8::from(!is_fine) }
    }

    /// An answer with the exit code of its own.
    pub(crate) fn with_code(code: u8, text: impl Into<String>, json: Value) -> Self {
        Self { code, ..Self::fine(text, json) }
    }

    /// Without the words on stderr, where they were said already.
    pub(crate) fn silent(self) -> Self {
        Self { complaint: None, ..self }
    }

    /// Prints it and gives the exit code.
    pub(crate) fn print(self, as_json: bool) -> ExitCode {
        let text = if as_json { format!("{:#}", self.json) } else { self.text };
        let mut stdout = io::stdout().lock();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        // The reader may have read enough (`| head`).
        let _ = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
        if let Some(complaint) = self.complaint {
            eprintln!("tollgate: {complaint}");
        }
        ExitCode::from(self.code)
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let json = json!({
            "error": failure.reason, "exit": failure.code, "status": failure.status,
        });
        Self { text: String::new(), json, complaint: Some(failure.reason), code: failure.code }
    }
}

/// The reason why a command came to no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    status: Option<u16>,
    reason: String,
}

impl Failure {
    /// Wrong usage, or something that can't be read.
    pub(crate) fn usage(reason: impl Into<String>) -> Self {
        Self { code: 2, status: None, reason: reason.into() }
    }

    /// A file that can't be read or written.
    pub(crate) fn file(path: &Path, error: impl Display) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// A server that can't be reached, or doesn't answer as it should.
    pub(crate) fn unreachable(url: &str, reason: &impl Display) -> Self {
        Self { code: 3, status: None, reason: format!("{url}: {reason}") }
    }

    /// The gate said no, with this status.
    pub(crate) fn refused(status: u16, reason: impl Into<String>) -> Self {
        Self { code: 1, status: Some(status), reason: reason.into() }
    }

    /// Whether a server answered, and refused.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status.is_some()
    }

    /// Whether it is a refusal with this status.
    pub(crate) fn is_of(&self, status: u16) -> bool {
        self.status == Some(status)
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}
