//! Maps from the names that stand in a line to fields: `json:KEY=FIELD,...`, `ltsv:`, `logfmt:` and `w3c:`.
//!
//! Turns the text of such a map into slots, one for each name, and into conditions (`KEY==PATTERN`). A field is a name
//! of the vocabulary or a directive of Apache's that means the same. Knows nothing of lines.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{Kind, Meaning, Role, Slot};
use crate::parse::compile::presets::PRESETS;
use crate::parse::compile::{apache, nginx};
use crate::parse::read::keyed::PARTS_MAX;
use crate::parse::read::text::Escape;

/// How a line has its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    Json,
    Ltsv,
    Logfmt,
    /// Columns that the log names itself.
    W3c,
}

impl Notation {
    const NAMES: [(&str, Notation); 4] = [
        ("json", Notation::Json),
        ("ltsv", Notation::Ltsv),
        ("logfmt", Notation::Logfmt),
        ("w3c", Notation::W3c),
    ];

    /// The notation named at the start of what was given, and the map behind the colon.
    pub fn named(given: &str) -> Option<(Notation, &str)> {
        let (name, map) = given.split_once(':')?;
        Notation::NAMES.iter().find(|(known, _)| *known == name).map(|&(_, notation)| (notation, map))
    }

    pub fn name(self) -> &'static str {
        Notation::NAMES.iter().find(|(_, notation)| *notation == self).map_or("", |(name, _)| name)
    }

    /// How its values are escaped. Of LTSV everything is seen: Apache's and nginx's ways, and none.
    pub fn escape(self) -> Escape {
        match self {
            Notation::Json | Notation::Logfmt => Escape::Json,
            Notation::Ltsv => Escape::Apache,
            Notation::W3c => Escape::Form,
        }
    }

    /// The slot of a name.
    pub fn slot(self, name: &str, meaning: Meaning) -> Slot {
        Slot {
            name: name.to_owned(),
            kind: Kind::Text,
            meaning,
            escape: self.escape(),
            may_be_empty: true,
            dash_is_value: false,
        }
    }

    /// Whether a name may stand in a map. Only the keys of JSON have parts.
    pub fn check(self, name: &str) -> Result<(), String> {
        if self != Notation::Json || name.split('.').count() <= PARTS_MAX {
            return Ok(());
        }
        Err(format!("a key of more than {PARTS_MAX} parts with dots between them"))
    }
}

/// What a map says.
#[derive(Debug, Default)]
pub struct Map<'m> {
    pub slots: Vec<Slot>,
    /// Names with the values that they have in every request.
    pub conditions: Vec<(&'m str, &'m str)>,
}

/// Adds what else a server measures whose keys are known, where the map tells the one unit that no line tells.
///
/// Versions of Tomcat and of Azure's gateways have the same keys, one of them in another unit; they are presets by
/// name. A map of their keys that has this one leaves nothing to be guessed of the others.
pub fn complete(slots: &mut Vec<Slot>) {
    let has = |slots: &[Slot], name: &str| slots.iter().any(|slot| slot.name == name);
    let known: Vec<Vec<Slot>> = PRESETS
        .iter()
        .filter(|preset| preset.by_name)
        .filter_map(|preset| compile(Notation::Json, preset.text.strip_prefix("json:")?, usize::MAX).ok())
        .map(|map| map.slots)
        .filter(|known| slots.iter().all(|slot| has(known, &slot.name)))
        .collect();
    let Some((first, others)) = known.split_first() else { return };
    let in_others = |slot: &Slot, same: &dyn Fn(&Slot) -> bool| {
        others.iter().all(|other| other.iter().any(|twin| twin.name == slot.name && same(twin)))
    };
    let is_alike = |slot: &Slot| in_others(slot, &|twin| twin.meaning == slot.meaning);
    let mut differing = first.iter().filter(|slot| in_others(slot, &|_| true) && !is_alike(slot)).peekable();
    if differing.peek().is_none() || !differing.all(|slot| has(slots, &slot.name)) {
        return;
    }
    for slot in first.iter().filter(|slot| is_alike(slot) && !has(slots, &slot.name)).collect::<Vec<_>>() {
        let is_span = matches!(slot.meaning.role, Some(Role::TimeToFirstByte | Role::UpstreamDuration));
        if is_span && !slots.iter().any(|own| own.meaning.role == slot.meaning.role) {
            slots.push(slot.clone());
        }
    }
}

/// Compiles a map. `fields_max` is how many names it may have.
pub fn compile(notation: Notation, text: &str, fields_max: usize) -> Result<Map<'_>, FormatError> {
    let mut map = Map::default();
    let mut column = notation.name().len() + 2;
    if text.trim().is_empty() && notation == Notation::W3c {
        return Ok(map);
    }
    for pair in text.split(',') {
        let wrong =
            || FormatError::new(column, format!("KEY=FIELD expected at column {column}, found {pair:?}"));
        if let Some((key, pattern)) = pair.trim().split_once("==").filter(|(key, _)| !key.is_empty()) {
            map.conditions.push((key, pattern));
            column += pair.len() + 1;
            continue;
        }
        let (key, field) = pair.trim().rsplit_once('=').ok_or_else(wrong)?;
        let meaning = match field.strip_prefix('$') {
            Some(variable) => nginx::variable(variable, Escape::Json).meaning,
            None if field.starts_with('%') => {
                // The pair may stand behind a blank; the field ends it.
                apache::one(field, column + pair.trim_end().len() - field.len())?.meaning
            }
            None => return Err(wrong()),
        };
        if key.is_empty() || map.slots.len() == fields_max {
            return Err(wrong());
        }
        notation
            .check(key)
            .map_err(|message| FormatError::new(column, format!("{message} at column {column}")))?;
        map.slots.push(notation.slot(key, meaning));
        column += pair.len() + 1;
    }
    Ok(map)
}
