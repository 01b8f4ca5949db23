//! The looks and links of the pages.

use super::fields::{ConfigReader, Expect, Fields};
use super::shown::shown_url;
use crate::text::url::is_safe_url;

/// The looks and links of the pages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Brand {
    /// The operator's name.
    pub name: String,
    /// Accent colour as `#rrggbb`, readable under white text (contrast at least 4.5:1).
    pub color: String,
    /// A logo, `https:`.
    pub logo_url: Option<String>,
    /// The sign-in page.
    pub sign_in_url: Option<String>,
    /// The page of plans on sale.
    pub plans_url: Option<String>,
    /// The page for payment methods and subscriptions.
    pub account_url: Option<String>,
    /// The place of help: a page or `mailto:`.
    pub support_url: Option<String>,
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: "this site".to_owned(),
            color: "#1f4fd8".to_owned(),
            logo_url: None,
            sign_in_url: None,
            plans_url: None,
            account_url: None,
            support_url: None,
        }
    }
}

pub(super) fn read(reader: &ConfigReader<'_>) -> Brand {
    let default = Brand::default();
    let Some(mut fields) = reader.table("BRAND", "{ name = \"Example\", color = \"#1f4fd8\" }")
    else {
        return default;
    };
    let brand = Brand {
        name: fields.text("name", "\"Example\"").unwrap_or(default.name),
        color: read_color(&mut fields).unwrap_or(default.color),
        logo_url: fields.url("logo_url", "\"https://example.com/logo.svg\""),
        sign_in_url: fields.url("sign_in_url", "\"https://example.com/login\""),
        plans_url: fields.url("plans_url", "\"https://example.com/plans\""),
        account_url: fields.url("account_url", "\"https://example.com/account\""),
        support_url: read_support(&mut fields),
    };
    if brand.name.chars().count() > MAX_NAME_CHARS {
        let expected = format!("at most {MAX_NAME_CHARS} characters");
        fields.mistake("name", "a longer name", Expect::new(&expected, "\"Example\""));
    }
    fields.finish();
    brand
}

const MAX_NAME_CHARS: usize = 60;

/// WCAG 2.2 §1.4.3, level AA for text.
const MIN_CONTRAST: f64 = 4.5;

fn read_support(fields: &mut Fields<'_>) -> Option<String> {
    let example = "\"mailto:help@example.com\"";
    let found = fields.text("support_url", example)?;
    let is_mail = found.strip_prefix("mailto:").is_some_and(|address| {
        address.contains('@')
            && address.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>".contains(&b))
    });
    if is_mail || is_safe_url(&found) {
        return Some(found);
    }
    let expect = Expect::new("an https:// URL or a mailto: address", example);
    fields.mistake("support_url", &shown_url(&found), expect);
    None
}

fn read_color(fields: &mut Fields<'_>) -> Option<String> {
    let example = "\"#1f4fd8\"";
    let found = fields.text("color", example)?;
    let Some(contrast) = contrast_with_white(&found) else {
        let expect = Expect::new("a colour as #rrggbb", example);
        fields.mistake("color", &format!("{found:?}"), expect);
        return None;
    };
    if contrast < MIN_CONTRAST {
        let shown = format!("{found:?}, on which white text has too little contrast");
        let expect =
            Expect::new("a darker colour, with a contrast to white of at least 4.5:1", example);
        fields.mistake("color", &shown, expect);
        return None;
    }
    Some(found.to_ascii_lowercase())
}

/// The WCAG contrast ratio of `#rrggbb` with white.
fn contrast_with_white(color: &str) -> Option<f64> {
    let hex = color.strip_prefix('#').filter(|hex| hex.len() == 6 && !hex.contains('+'))?;
    let number = u32::from_str_radix(hex, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    Some(1.05 / (luminance + 0.05))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_contrast() {
        assert!((contrast_with_white("#000000").unwrap() - 21.0).abs() < 0.01);
        assert!((contrast_with_white("#ffffff").unwrap() - 1.0).abs() < 0.01);
        assert!((contrast_with_white("#767676").unwrap() - 4.54).abs() < 0.01);
        assert_eq!(contrast_with_white("red"), None);
        assert_eq!(contrast_with_white("#+12345"), None);
    }
}
