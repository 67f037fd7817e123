//! YAML tree: a document as maps, lists and texts, each with the line on which it stands.
//!
//! The parser gives events; what is kept of them is bounded, so that a document that names itself over and over ends.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// Values in one document; the files of other exporters have twenty.
const NODES_MAX: usize = 10_000;
/// Maps within maps.
const DEPTH_MAX: usize = 16;

#[derive(Clone, Debug)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing stands behind the key.
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub line: usize,
    pub node: Node,
}

/// What is wrong, and on which line.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub what: String,
}

impl Fault {
    pub fn new(line: usize, what: impl Into<String>) -> Fault {
        Fault { line, what: what.into() }
    }
}

/// The one document of a text; an empty text is one that holds nothing.
pub fn read(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    let mut document = Node { line: 1, value: Value::Null };
    let mut documents = 0;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(document),
            (Event::DocumentStart(_), span) => {
                documents += 1;
                if documents > 1 {
                    return Err(Fault::new(span.start.line(), "there is more than one document"));
                }
            }
            (Event::StreamStart | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => document = reader.node(event, span, DEPTH_MAX)?,
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// What `&name` marks, by the parser's number of it.
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                Err(Fault::new(error.marker().line(), format!("this is no YAML: {}", error.info())))
            }
            None => Err(Fault::new(1, "the document does not end")),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        let line = span.start.line();
        if depth == 0 {
            return Err(Fault::new(line, "this is nested too deeply"));
        }
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| Fault::new(line, "the alias names nothing"))?;
                self.count(size(&node), line)?;
                return Ok(Node { line, value: node.value });
            }
            _ => return Err(Fault::new(line, "a value is missing")),
        };
        let node = Node { line, value };
        if anchor > 0 {
            self.count(size(&node), line)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX { Err(Fault::new(line, "the document is too large")) } else { Ok(()) }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(list)),
                (event, span) => list.push(self.node(event, span, depth - 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut map: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(map));
            }
            let line = span.start.line();
            let Value::Text(key) = self.node(event, span, depth - 1)?.value else {
                return Err(Fault::new(line, "a key is not a text"));
            };
            if map.iter().any(|entry| entry.key == key) {
                return Err(Fault::new(line, format!("`{key}` is there twice")));
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth - 1)?;
            map.push(Entry { key, line, node });
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_null = style == ScalarStyle::Plain && ["", "~", "null", "Null", "NULL"].contains(&text);
    if is_null { Value::Null } else { Value::Text(text.to_owned()) }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Null | Value::Text(_) => 0,
        Value::List(list) => list.iter().map(size).sum(),
        Value::Map(map) => map.iter().map(|entry| 1 + size(&entry.node)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_text() {
        let node = read("# a remark\na: 1\n\nb:\n  c: [x, 'y']\n  d: |\n    two\n    lines\n").unwrap();
        let Value::Map(map) = node.value else { panic!("a map") };
        assert_eq!((map[0].key.as_str(), map[0].line), ("a", 2));
        let Value::Map(inner) = &map[1].node.value else { panic!("a map") };
        assert_eq!((inner[0].line, inner[1].line), (5, 6));
        assert!(matches!(&inner[1].node.value, Value::Text(text) if text == "two\nlines\n"));
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_line() {
        for (text, line) in
            [("a: 1\na: 2\n", 2), ("a: [1\nb: 2\n", 2), ("a: *b\n", 1), ("---\na: 1\n---\nb: 1\n", 3)]
        {
            let fault = read(text).expect_err(text);
            assert!(fault.line.abs_diff(line) <= 1, "{text:?}: {fault:?}");
        }
        assert!(matches!(read("").unwrap().value, Value::Null));
        assert!(read(&"[".repeat(100)).is_err());
    }

    #[test]
    fn names_of_names_do_not_grow_without_bound() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let one = format!("*a{}", n - 1);
            text += &format!("a{n}: &a{n} [{}]\n", vec![one; 10].join(", "));
        }
        assert_eq!(read(&text).unwrap_err().what, "the document is too large");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-c:\\-&*\\[\\]{}!|>'\"# \n\t]{0,80}") {
            let _ = read(&text);
        }
    }
}
