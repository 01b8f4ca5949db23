//! Prepaid units follow from the paid item: a price, variant or product that the operator has put
//! into a table. No number that a buyer may have written counts, but for a quantity, which the same
//! table bounds.

use crate::store::MAX_UNITS;

/// An item that the operator sells as prepaid units.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CreditPrice {
    /// The provider's name of it: the id of a price, a lookup key, a variant, a product, or of a
    /// payment link.
    pub price: String,
    /// Units in one of it.
    pub units: u64,
    /// The most of it that one order may hold; any more brings no units.
    pub max_quantity: u64,
    /// Whether it counts without a payment, as by a coupon over the whole price.
    pub free: bool,
}

/// One position of an order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Position {
    /// Each name of the bought item.
    pub(super) names: Vec<String>,
    /// Number of such items.
    pub(super) quantity: Option<u64>,
    /// Whether it cost nothing.
    pub(super) is_free: bool,
}

/// The units that an order brings; `None` where it holds nothing of the table.
pub(super) fn units_of(table: &[CreditPrice], order: &[Position]) -> Option<u64> {
    let mut sum: Option<u64> = None;
    for position in order {
        let is_it = |row: &&CreditPrice| position.names.contains(&row.price);
        let Some(row) = table.iter().find(is_it) else { continue };
        if position.is_free && !row.free {
            continue;
        }
        let quantity = position.quantity.unwrap_or(1).min(row.max_quantity);
        let units = row.units.saturating_mul(quantity);
        sum = Some(sum.unwrap_or(0).saturating_add(units).min(MAX_UNITS));
    }
    sum.filter(|units| *units > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_from_the_table_and_from_nothing_else() {
        let table = [
            CreditPrice { price: "p".into(), units: 500, max_quantity: 3, free: false },
            CreditPrice { price: "gift".into(), units: 5, max_quantity: 1, free: true },
            CreditPrice { price: "huge".into(), units: MAX_UNITS, max_quantity: 9, free: false },
        ];
        let of = |name: &str, quantity, is_free| Position {
            names: vec!["other".to_owned(), name.to_owned()],
            quantity,
            is_free,
        };
        let units = |order: &[Position]| units_of(&table, order);
        assert_eq!(units(&[]), None);
        assert_eq!(units(&[of("x", Some(9), false)]), None, "not in the table");
        assert_eq!(units(&[of("p", None, false)]), Some(500));
        assert_eq!(units(&[of("p", Some(2), false), of("gift", Some(9), true)]), Some(1_005));
        assert_eq!(
            units(&[of("p", Some(u64::MAX), false)]),
            Some(1_500),
            "as many as one order may"
        );
        assert_eq!(units(&[of("p", Some(2), true)]), None, "for nothing");
        assert_eq!(units(&[of("p", Some(0), false)]), None);
        assert_eq!(units(&[of("huge", Some(9), false), of("p", None, false)]), Some(MAX_UNITS));
    }
}
