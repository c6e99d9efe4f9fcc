//! Which engine takes an operator on a property: the tables, and the general rules over them.

use crate::{
    ast::{CompareOp, Literal},
    capability::{self, Ops, Property, Resource, Shape},
};

/// An operator as the tables count them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Eq,
    Ne,
    EqNull,
    NeNull,
    In,
    InNull,
    Ge,
    Le,
    StartsWith,
    EndsWith,
    /// `gt`, `lt`: documented for nothing.
    Strict(CompareOp),
}

/// Which engine takes an operator on a property.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Support {
    Both,
    DefaultOnly,
    Advanced,
    /// The sources disagree; the advanced engine is the likelier to take it.
    Doubtful,
    No,
}

/// The operator of a comparison, seen together with its value.
pub(super) fn asked(operator: CompareOp, literal: &Literal) -> Asked {
    match (operator, literal) {
        (CompareOp::Eq, Literal::Null) => Asked::EqNull,
        (CompareOp::Ne, Literal::Null) => Asked::NeNull,
        (CompareOp::Eq | CompareOp::Has, _) => Asked::Eq,
        (CompareOp::Ne, _) => Asked::Ne,
        (CompareOp::Ge, _) => Asked::Ge,
        (CompareOp::Le, _) => Asked::Le,
        (CompareOp::Gt | CompareOp::Lt, _) => Asked::Strict(operator),
    }
}

/// What the tables and the general rules G1 to G9 say. `negated`: somewhere below a `not`.
pub(super) fn support(resource: Resource, property: &Property, asked: Asked, negated: bool) -> Support {
    if property.contradicted {
        return Support::No;
    }
    let listed = |op: Ops| {
        if capability::is_disputed(resource, property, op)
            && (property.default.has(op) || property.advanced.has(op))
        {
            Support::Doubtful
        } else if property.default.has(op) {
            if property.default_only { Support::DefaultOnly } else { Support::Both }
        } else if property.advanced.has(op) {
            Support::Advanced
        } else if property.doubtful.has(op) && !capability::is_taken_back(resource, property, op) {
            Support::Doubtful
        } else {
            Support::No
        }
    };
    let equal = listed(Ops::EQ);
    let negatable = matches!(equal, Support::Both | Support::Advanced);
    let single = property.shape == Shape::Single;
    let support = match asked {
        Asked::Eq => equal,
        // G1: an `in` is an `or` of `eq`.
        Asked::In => match listed(Ops::IN) {
            Support::No => equal,
            support => support,
        },
        // G2, G3: `ne` wherever `eq` is, but not inside a lambda.
        Asked::Ne if single && negatable => Support::Advanced,
        Asked::Ne => listed(Ops::NE),
        Asked::EqNull => listed(Ops::EQ_NULL),
        // G6.
        Asked::NeNull => match (listed(Ops::EQ_NULL), listed(Ops::NE_NULL)) {
            (Support::Both | Support::Advanced, _) | (_, Support::Both | Support::Advanced) => {
                Support::Advanced
            }
            (Support::Doubtful, _) => Support::Doubtful,
            // `ne` is there and `eq null` is not: no source speaks of both.
            _ if single && negatable => Support::Doubtful,
            _ => Support::No,
        },
        Asked::InNull if negatable => match listed(Ops::EQ_NULL) {
            Support::Both | Support::Advanced => Support::Advanced,
            _ => Support::No,
        },
        Asked::InNull => Support::No,
        Asked::Ge => listed(Ops::GE),
        Asked::Le => listed(Ops::LE),
        Asked::StartsWith => listed(Ops::STARTS_WITH),
        Asked::EndsWith => listed(Ops::ENDS_WITH),
        Asked::Strict(_) => Support::No,
    };
    if !negated {
        return support;
    }
    // G2: `not` on everything that can `eq`, always advanced.
    match support {
        Support::Both | Support::Advanced if negatable || listed(Ops::NOT) == Support::Advanced => {
            Support::Advanced
        }
        Support::Both | Support::Advanced if property.doubtful.has(Ops::NOT) => Support::Doubtful,
        Support::Both | Support::Advanced | Support::DefaultOnly => Support::No,
        other => other,
    }
}
