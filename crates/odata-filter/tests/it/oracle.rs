//! A second evaluator, slow and obvious, straight from the syntax tree: the compiled one must agree with it.

use std::cmp::Ordering;

use odata_filter::{
    Filter, Node, Resource,
    ast::{CompareOp, Expr, ExprKind, Literal, Path},
    parse,
};
use proptest::prelude::*;

use crate::generate;

type Scope<'a> = Vec<(&'a str, Node)>;

fn holds<'a>(expr: &'a Expr, object: &Node, scope: &mut Scope<'a>) -> bool {
    match &expr.kind {
        ExprKind::And(parts) => parts.iter().filter(|part| holds(part, object, scope)).count() == parts.len(),
        ExprKind::Or(parts) => parts.iter().filter(|part| holds(part, object, scope)).count() > 0,
        ExprKind::Not(part) => !holds(part, object, scope),
        ExprKind::Compare(op, left, right) => {
            let ExprKind::Literal(literal) = &right.kind else { panic!("not generated") };
            let value = match &left.kind {
                ExprKind::Path(path) => look_up(path, object, scope),
                ExprKind::Count(path) => {
                    Node::Number(i64::try_from(elements(path, object, scope).len()).unwrap())
                }
                _ => panic!("not generated"),
            };
            let same = equal(&value, literal);
            let order = order(&value, literal);
            match op {
                CompareOp::Eq => same,
                CompareOp::Ne => !same,
                CompareOp::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                CompareOp::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                CompareOp::Gt => order == Some(Ordering::Greater),
                CompareOp::Lt => order == Some(Ordering::Less),
                CompareOp::Has => panic!("not generated"),
            }
        }
        ExprKind::In(left, right) => {
            let (ExprKind::Path(path), ExprKind::List(items)) = (&left.kind, &right.kind) else {
                panic!("not generated")
            };
            let value = look_up(path, object, scope);
            items
                .iter()
                .any(|item| matches!(&item.kind, ExprKind::Literal(literal) if equal(&value, literal)))
        }
        ExprKind::Call(function, arguments) => {
            let (ExprKind::Path(path), ExprKind::Literal(Literal::Text(wanted))) =
                (&arguments[0].kind, &arguments[1].kind)
            else {
                panic!("not generated")
            };
            let Node::Text(value) = look_up(path, object, scope) else { return false };
            let (value, wanted) = (value.to_lowercase(), wanted.to_lowercase());
            match function.text.to_lowercase().as_str() {
                "startswith" => value.starts_with(&wanted),
                "endswith" => value.ends_with(&wanted),
                _ => value.contains(&wanted),
            }
        }
        ExprKind::Lambda(lambda) => {
            let (variable, body) = lambda.body.as_ref().unwrap();
            let mut answers = Vec::new();
            for element in elements(&lambda.path, object, scope) {
                scope.push((&variable.text, element));
                answers.push(holds(body, object, scope));
                scope.pop();
            }
            if lambda.all { !answers.contains(&false) } else { answers.contains(&true) }
        }
        _ => panic!("not generated"),
    }
}

fn look_up(path: &Path, object: &Node, scope: &Scope<'_>) -> Node {
    let mut names = path.segments.iter().map(|name| name.text.as_str());
    let first = names.next().unwrap();
    let variable = scope.iter().rev().find(|(name, _)| *name == first).map(|(_, value)| value.clone());
    let start = variable.unwrap_or_else(|| object.member(first).cloned().unwrap_or(Node::Null));
    names.fold(start, |node, name| node.member(name).cloned().unwrap_or(Node::Null))
}

fn elements(path: &Path, object: &Node, scope: &Scope<'_>) -> Vec<Node> {
    match look_up(path, object, scope) {
        Node::List(items) => items,
        _ => Vec::new(),
    }
}

fn equal(value: &Node, literal: &Literal) -> bool {
    match (value, literal) {
        (Node::Null, Literal::Null) => true,
        (Node::Null, _) | (_, Literal::Null) => false,
        (Node::Bool(value), Literal::Bool(wanted)) => value == wanted,
        (Node::Text(value), Literal::Guid(wanted)) => value.to_lowercase() == wanted.to_lowercase(),
        _ => order(value, literal) == Some(Ordering::Equal),
    }
}

fn order(value: &Node, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Node::Text(value), Literal::Text(wanted)) => Some(value.to_lowercase().cmp(&wanted.to_lowercase())),
        (Node::Text(value), Literal::DateTimeOffset(wanted) | Literal::Date(wanted)) => {
            Some(moment(value)?.cmp(&moment(wanted)?))
        }
        (Node::Number(value), Literal::Int32(wanted)) => Some(value.cmp(&wanted.parse().unwrap())),
        _ => None,
    }
}

/// Milliseconds since the year 2000, counted day by day.
fn moment(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let mut days = 0;
    let (mut y, mut m, mut d) = (2000, 1, 1);
    while (y, m, d) != (year, month, day) {
        let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        let length = match m {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        days += 1;
        d += 1;
        if d > length {
            (m, d) = (m + 1, 1);
        }
        if m > 12 {
            (y, m) = (y + 1, 1);
        }
    }
    let Some(clock) = text.split_once('T').map(|(_, clock)| clock) else { return Some(days * 86_400_000) };
    let zone = clock.rfind(['Z', '+', '-'])?;
    let parts: Vec<&str> = clock[..zone].split([':', '.']).collect();
    let part = |at: usize| parts.get(at).map_or(0, |text| text.parse::<i64>().unwrap());
    let offset = match &clock[zone..] {
        "Z" => 0,
        "+02:00" => 120,
        "-01:00" => -60,
        other => panic!("not generated: {other}"),
    };
    let minutes = days * 1_440 + part(0) * 60 + part(1) - offset;
    Some(minutes * 60_000 + part(2) * 1_000 + part(3))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000 * super::properties::soak(), ..ProptestConfig::default() })]

    #[test]
    fn a_slow_and_obvious_evaluator_agrees(tree in generate::filter(), object in generate::object()) {
        let text = tree.to_string();
        let parsed = parse(&text).unwrap();
        let filter = Filter::compile(Resource::Users, &text).unwrap();
        let expected = holds(&parsed, &object, &mut Vec::new());
        prop_assert_eq!(filter.matches(&object), expected, "{}", text);
        let explained = filter.explain(&object);
        prop_assert_eq!(explained.holds, expected, "explanation of {}", text);
    }
}

#[test]
fn random_filters_say_both_yes_and_no() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut yes = 0;
    for _ in 0..1_000 {
        let tree = generate::filter().new_tree(&mut runner).unwrap().current();
        let object = generate::object().new_tree(&mut runner).unwrap().current();
        yes += usize::from(Filter::compile(Resource::Users, &tree.to_string()).unwrap().matches(&object));
    }
    assert!((200..800).contains(&yes), "{yes} of 1000 match");
}
