//! The language of `--slo NAME=CONDITION,...`: what a condition can be about is a row of `QUANTITIES`, `path` or a
//! label.
//!
//! Conditions on quantities tell good from bad; those on the path and on labels tell which requests are meant at all.

use crate::bytes::glob::Glob;
use crate::fixed_point::FixedPoint;

/// One `--slo`.
#[derive(Clone, Debug)]
pub struct Objective {
    pub name: String,
    /// The conditions as they were given.
    pub conditions: String,
    /// All of them must hold for a request to be good.
    pub bounds: Vec<Bound>,
    /// All of them must hold for a request to be meant.
    pub scope: Vec<Scope>,
}

/// What a request is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub quantity: &'static Quantity,
    pub comparison: Comparison,
    /// In the quantity's smallest unit: nanoseconds where it is a time.
    pub value: u64,
}

/// Which requests an objective is about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// `path`, or the name of a label.
    pub name: String,
    /// One of them, or none of them, must match.
    pub patterns: Vec<Glob>,
    pub is_not: bool,
}

/// A figure of a request.
#[derive(Debug)]
pub struct Quantity {
    pub name: &'static str,
    pub kind: QuantityKind,
    is_time: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityKind {
    Status,
    Duration,
    FirstByte,
    Upstream,
    BytesSent,
}

pub const QUANTITIES: &[Quantity] = &[
    Quantity { name: "status", kind: QuantityKind::Status, is_time: false },
    Quantity { name: "duration", kind: QuantityKind::Duration, is_time: true },
    Quantity { name: "first_byte", kind: QuantityKind::FirstByte, is_time: true },
    Quantity { name: "upstream", kind: QuantityKind::Upstream, is_time: true },
    Quantity { name: "bytes_sent", kind: QuantityKind::BytesSent, is_time: false },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
}

/// The longer before those that they begin with.
const COMPARISONS: &[(&str, Comparison)] = &[
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
];

impl Comparison {
    #[inline]
    pub fn holds(self, value: u64, bound: u64) -> bool {
        match self {
            Comparison::AtMost => value <= bound,
            Comparison::Below => value < bound,
            Comparison::AtLeast => value >= bound,
            Comparison::Above => value > bound,
            Comparison::Equal => value == bound,
            Comparison::Unequal => value != bound,
        }
    }
}

impl Objective {
    pub fn parse(text: &str) -> Result<Objective, String> {
        let (name, conditions) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        if name.is_empty() || !name.bytes().all(is_plain) {
            return Err(format!("`{name}` is not a name: it has letters, digits, and any of _-."));
        }
        let mut objective = Objective {
            name: name.to_owned(),
            conditions: conditions.to_owned(),
            bounds: Vec::new(),
            scope: Vec::new(),
        };
        let mut column = name.len() + 2;
        for item in conditions.split(',') {
            objective.add(item.trim()).map_err(|why| format!("`{item}` at column {column} {why}"))?;
            column += item.len() + 1;
        }
        if objective.bounds.is_empty() {
            let names = names_of_quantities();
            return Err(format!("`{name}` has no condition that a request can fail: one on {names}"));
        }
        Ok(objective)
    }

    fn add(&mut self, condition: &str) -> Result<(), String> {
        let at = condition.find(['<', '>', '=', '!']).unwrap_or(condition.len());
        let (name, rest) = (condition[..at].trim(), &condition[at..]);
        let known = COMPARISONS.iter().find_map(|(sign, of)| Some((*of, rest.strip_prefix(sign)?.trim())));
        let (comparison, value) = known
            .filter(|(_, value)| !name.is_empty() && !value.is_empty())
            .ok_or("is no condition, such as duration<0.3, status<500 or method=GET")?;
        if let Some(quantity) = QUANTITIES.iter().find(|quantity| quantity.name == name) {
            let value = quantity.read(value)?;
            self.bounds.push(Bound { quantity, comparison, value });
            return Ok(());
        }
        let is_not = match comparison {
            Comparison::Equal => false,
            Comparison::Unequal => true,
            _ => {
                let names = names_of_quantities();
                return Err(format!(
                    "compares {name}, which has no size as {names} have: it can be = or != only"
                ));
            }
        };
        let patterns = value.split('|').map(|pattern| Glob::compile(pattern.as_bytes())).collect();
        self.scope.push(Scope { name: name.to_owned(), patterns, is_not });
        Ok(())
    }
}

fn names_of_quantities() -> String {
    let names: Vec<&str> = QUANTITIES.iter().map(|quantity| quantity.name).collect();
    names.join(", ")
}

impl Quantity {
    fn read(&self, value: &str) -> Result<u64, String> {
        let number = FixedPoint::parse(value).filter(|number| *number >= FixedPoint::ZERO);
        match (number, self.is_time) {
            (Some(seconds), true) => u64::try_from(seconds.as_nanos()).ok(),
            (Some(number), false) => number.to_count(),
            (None, _) => None,
        }
        .ok_or_else(|| {
            let unit = if self.is_time { "a number of seconds" } else { "a whole number" };
            format!("compares {} with what is not {unit}", self.name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_bounds_or_scope() {
        let objective =
            Objective::parse("fast=duration<0.3, status<500,method=GET|HEAD,path!=/health*").unwrap();
        let bounds =
            objective.bounds.iter().map(|bound| (bound.quantity.name, bound.comparison, bound.value));
        let expected = [("duration", Comparison::Below, 300_000_000), ("status", Comparison::Below, 500)];
        assert_eq!(bounds.collect::<Vec<_>>(), expected);
        let scope: Vec<_> =
            objective.scope.iter().map(|scope| (&*scope.name, scope.patterns.len(), scope.is_not)).collect();
        assert_eq!(scope, [("method", 2, false), ("path", 1, true)]);
    }

    #[test]
    fn the_longest_comparison_is_meant() {
        for (text, comparison, value) in [
            ("a=status<=499", Comparison::AtMost, 499),
            ("a=status>=200", Comparison::AtLeast, 200),
            ("a=status!=429", Comparison::Unequal, 429),
            ("a=status=200", Comparison::Equal, 200),
            ("a=bytes_sent>0", Comparison::Above, 0),
            ("a=upstream<1", Comparison::Below, 1_000_000_000),
            ("a=first_byte<0.000000001", Comparison::Below, 1),
        ] {
            let objective = Objective::parse(text).unwrap();
            assert_eq!(
                (objective.bounds[0].comparison, objective.bounds[0].value),
                (comparison, value),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_condition_is_named_with_its_column() {
        for (text, message) in [
            ("fast", "`fast` has no `=`"),
            ("a b=status<500", "`a b` is not a name: it has letters, digits, and any of _-."),
            (
                "fast=status<500,duration",
                "`duration` at column 17 is no condition, such as duration<0.3, status<500 or method=GET",
            ),
            ("fast=status<5.5", "`status<5.5` at column 6 compares status with what is not a whole number"),
            (
                "fast=duration<-1",
                "`duration<-1` at column 6 compares duration with what is not a number of seconds",
            ),
            (
                "fast=status<500,method<GET",
                "`method<GET` at column 17 compares method, which has no size as status, duration, first_byte, upstream, \
                 bytes_sent have: it can be = or != only",
            ),
            (
                "posts=method=POST",
                "`posts` has no condition that a request can fail: one on status, duration, first_byte, upstream, bytes_sent",
            ),
        ] {
            assert_eq!(Objective::parse(text).unwrap_err(), message);
        }
    }
}
