//! The plans that the items of a subscription stand for.

use crate::plan::{Plan, plan_named};

/// The plan and the add-ons of a subscription whose items are called `items`, each by several
/// names.
///
/// The plan is the first that is known and has quotas; where none has, the first that is known. An
/// unknown item stays under its first name, so that it counts as soon as an operator adds it to
/// `PLANS`.
pub(crate) fn plans_of(plans: &[Plan], items: &[Vec<&str>]) -> (Option<String>, Vec<String>) {
    let mut ids: Vec<(u8, &str)> = Vec::new();
    for names in items {
        let known = names.iter().find_map(|name| plan_named(plans, name));
        let (rank, id) = match (known, names.first()) {
            (Some(plan), _) if plan.quotas.is_empty() => (1, plan.id.as_str()),
            (Some(plan), _) => (0, plan.id.as_str()),
            (None, Some(name)) => (2, *name),
            (None, None) => continue,
        };
        if ids.iter().all(|(_, other)| *other != id) {
            ids.push((rank, id));
        }
    }
    let first = ids.iter().enumerate().min_by_key(|(place, (rank, _))| (*rank, *place));
    let Some((place, _)) = first else { return (None, Vec::new()) };
    let (_, plan) = ids.remove(place);
    (Some(plan.to_owned()), ids.into_iter().map(|(_, id)| id.to_owned()).collect())
}
