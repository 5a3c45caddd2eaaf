//! Owns the tree of one YAML document: every key and every value with its place.

/// A piece of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Span {
    /// The position of the file in `Sources`.
    pub(crate) file: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

const OFFSET_BITS: u32 = 20;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;

impl Span {
    /// One number, so that a span travels through serde; offsets are below 1 MiB.
    pub(crate) fn pack(self) -> u64 {
        let start = u64::from(self.start) & OFFSET_MASK;
        let end = u64::from(self.end) & OFFSET_MASK;
        (u64::from(self.file) << (2 * OFFSET_BITS)) | (start << OFFSET_BITS) | end
    }

    pub(crate) fn unpack(packed: u64) -> Self {
        let part = |bits: u64| u32::try_from(bits).unwrap_or_default();
        Self {
            file: part(packed >> (2 * OFFSET_BITS)),
            start: part((packed >> OFFSET_BITS) & OFFSET_MASK),
            end: part(packed & OFFSET_MASK),
        }
    }

    fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What is written. Scalars stay text: what they mean is known only where they are expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Nothing,
    Scalar {
        text: String,
        /// Neither quoted nor a block: only such a text can be a boolean or a number.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(crate) fn plain(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    pub(crate) fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.entries()
            .iter()
            .find(|(name, _)| name.text() == Some(key))
    }

    /// Calls `visit` on this value and every value and key below it.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for (key, value) in self.entries() {
            visit(key);
            value.walk(visit);
        }
        for item in self.items() {
            item.walk(visit);
        }
    }

    /// The outermost value with exactly this span.
    pub(crate) fn find(&self, span: Span) -> Option<&Self> {
        if self.span == span {
            return Some(self);
        }
        let values = self.entries().iter().map(|(_, value)| value);
        values
            .chain(self.items())
            .filter(|value| value.span.contains(span))
            .find_map(|value| value.find(span))
    }

    /// The keys and places that lead to the innermost value or key around a span.
    pub(crate) fn place_of(&self, span: Span) -> Vec<String> {
        let keyed = self.entries().iter().find_map(|(key, value)| {
            let name = || key.text().unwrap_or_default().to_owned();
            if value.span.contains(span) {
                return Some((name(), Some(value)));
            }
            key.span.contains(span).then(|| (name(), None))
        });
        let listed = || {
            let mut items = self.items().iter().enumerate();
            let (place, item) = items.find(|(_, item)| item.span.contains(span))?;
            Some((place.to_string(), Some(item)))
        };
        let Some((step, inside)) = keyed.or_else(listed) else {
            return Vec::new();
        };
        let rest = inside.map(|inside| inside.place_of(span));
        std::iter::once(step)
            .chain(rest.unwrap_or_default())
            .collect()
    }

    /// What this is, for "expected … but this is …".
    pub(crate) fn what(&self) -> &'static str {
        match &self.value {
            Value::Nothing => "empty",
            Value::Scalar { .. } => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map of keys",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_survives_packing() {
        let span = Span {
            file: 300,
            start: 262_143,
            end: 262_144,
        };
        assert_eq!(Span::unpack(span.pack()), span);
    }
}
