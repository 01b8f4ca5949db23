//! Titles of problems that have no type of their own.

/// The title of a problem with this status: about the reason phrase of RFC 9110 §15, in sentence
/// case.
pub const fn status_title(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict",
        413 => "Content too large",
        415 => "Unsupported media type",
        422 => "Unprocessable content",
        429 => "Too many requests",
        502 => "Bad gateway",
        503 => "Unavailable",
        _ => "Error",
    }
}
