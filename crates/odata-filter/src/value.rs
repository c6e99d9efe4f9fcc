//! The directory object that a filter is evaluated on, as this crate sees it.
//!
//! Whoever holds objects (the mirror, the simulator) implements [`Object`] on its own type and lends values out;
//! [`Node`] is a ready-made tree for objects that are at hand as Graph's JSON.

/// A directory object: a user or a group.
pub trait Object {
    /// The value of a top-level property. `name` is in canonical case; extension properties come as the
    /// filter spells them. [`Value::Null`] when the object has none.
    fn property(&self, name: &str) -> Value<'_>;
}

/// A borrowed property value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Absent or null.
    Null,
    /// Edm.Boolean
    Bool(bool),
    /// Text, and everything that Graph writes as text: GUIDs, timestamps.
    Text(&'a str),
    /// A collection of text, `proxyAddresses`.
    Texts(&'a [String]),
    /// Anything else.
    Node(&'a Node),
}

/// An owned value of any shape, as JSON has them.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Numbers occur in no filterable property; they are kept as they came.
    Number(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object; member names in any case.
    Record(Vec<(String, Node)>),
}

impl Object for Node {
    fn property(&self, name: &str) -> Value<'_> {
        self.member(name).map_or(Value::Null, Value::from)
    }
}

impl Node {
    /// A member of a record, without regard to case.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Node> {
        match self {
            Node::Record(members) => {
                members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, node)| node)
            }
            _ => None,
        }
    }
}

impl<'a> From<&'a Node> for Value<'a> {
    fn from(node: &'a Node) -> Self {
        match node {
            Node::Null => Value::Null,
            Node::Bool(flag) => Value::Bool(*flag),
            Node::Text(text) => Value::Text(text),
            Node::Number(_) | Node::List(_) | Node::Record(_) => Value::Node(node),
        }
    }
}

#[cfg(feature = "serde")]
mod deserialize {
    use std::fmt::{self, Formatter};

    use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

    use super::Node;

    struct NodeVisitor;

    impl<'de> Deserialize<'de> for Node {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(NodeVisitor)
        }
    }

    impl<'de> Visitor<'de> for NodeVisitor {
        type Value = Node;

        fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("a property value")
        }

        fn visit_unit<E>(self) -> Result<Node, E> {
            Ok(Node::Null)
        }

        fn visit_none<E>(self) -> Result<Node, E> {
            Ok(Node::Null)
        }

        fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
            Ok(Node::Bool(flag))
        }

        fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
            Ok(Node::Number(number))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
            Ok(i64::try_from(number).map_or(Node::Null, Node::Number))
        }

        // No filterable property has a fraction.
        fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
            Ok(Node::Null)
        }

        fn visit_str<E>(self, text: &str) -> Result<Node, E> {
            Ok(Node::Text(text.to_owned()))
        }

        fn visit_string<E>(self, text: String) -> Result<Node, E> {
            Ok(Node::Text(text))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            Ok(Node::List(list))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
            let mut record = Vec::new();
            while let Some(member) = members.next_entry()? {
                record.push(member);
            }
            Ok(Node::Record(record))
        }
    }
}
