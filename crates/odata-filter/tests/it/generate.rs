//! Random filters and objects.

use odata_filter::{
    Node, Span,
    ast::{ArithmeticOp, CompareOp, Expr, ExprKind, Lambda, Literal, Name, Path},
};
use proptest::{collection::vec, prelude::*, sample::select};

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), span: Span::default() }
}

pub fn path(text: &str) -> Path {
    Path { segments: text.split('/').map(name).collect() }
}

/// Few words, so that filters and objects meet; with the cases that fold, sort and quote oddly.
const WORDS: [&str; 12] =
    ["", "a", "A", "ab", "AB", "Sales", "sales dept", "O'Brien", "Ärger", "äRGER", "SMTP:a@b.c", "İstanbul"];
const MOMENTS: [&str; 6] = [
    "2024-01-31T10:00:00Z",
    "2024-01-31T12:00:00+02:00",
    "2024-01-31T10:00:00.500Z",
    "2024-02-29T00:00Z",
    "2023-12-31T23:59:59-01:00",
    "2024-01-31T00:00:00Z",
];
const GUIDS: [&str; 2] = ["c42b9cae-ea4f-4ab7-9717-81576235ccac", "05E9A617-0261-4CEE-BB44-138D3EF5D965"];

const TEXTS: [&str; 4] = [
    "department",
    "DISPLAYNAME",
    "employeeOrgData/division",
    "extension_0123456789abcdef0123456789abcdef_team",
];
const FLAGS: [&str; 2] = ["accountEnabled", "onPremisesSyncEnabled"];
const DATES: [&str; 2] = ["createdDateTime", "employeeHireDate"];
const COLLECTIONS: [&str; 2] = ["proxyAddresses", "otherMails"];

fn word() -> impl Strategy<Value = String> {
    select(&WORDS[..]).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = Literal> {
    prop_oneof![8 => word().prop_map(Literal::Text), 1 => Just(Literal::Null)]
}

fn moment() -> impl Strategy<Value = Literal> {
    prop_oneof![
        8 => select(&MOMENTS[..]).prop_map(|text| Literal::DateTimeOffset(text.to_owned())),
        1 => Just(Literal::Date("2024-01-31".to_owned())),
        1 => Just(Literal::Null),
    ]
}

fn comparison() -> impl Strategy<Value = CompareOp> {
    select(vec![CompareOp::Eq, CompareOp::Ne, CompareOp::Ge, CompareOp::Le, CompareOp::Gt, CompareOp::Lt])
}

fn compare(left: ExprKind, op: CompareOp, right: Literal) -> Expr {
    expr(ExprKind::Compare(op, Box::new(expr(left)), Box::new(expr(ExprKind::Literal(right)))))
}

fn on_text(left: Path) -> impl Strategy<Value = Expr> {
    let by_list = left.clone();
    let by_call = left.clone();
    let functions = select(vec!["startsWith", "endswith", "CONTAINS"]);
    prop_oneof![
        (comparison(), text()).prop_map(move |(op, value)| compare(ExprKind::Path(left.clone()), op, value)),
        vec(text(), 0..4).prop_map(move |values| {
            let items = values.into_iter().map(|value| expr(ExprKind::Literal(value))).collect();
            let (path, list) = (ExprKind::Path(by_list.clone()), ExprKind::List(items));
            expr(ExprKind::In(Box::new(expr(path)), Box::new(expr(list))))
        }),
        (functions, word()).prop_map(move |(function, value)| {
            let arguments =
                vec![expr(ExprKind::Path(by_call.clone())), expr(ExprKind::Literal(Literal::Text(value)))];
            expr(ExprKind::Call(name(function), arguments))
        }),
    ]
}

fn joined(leaf: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| expr(ExprKind::And(parts))),
            vec(inner.clone(), 2..4).prop_map(|parts| expr(ExprKind::Or(parts))),
            inner.prop_map(|part| expr(ExprKind::Not(Box::new(part)))),
        ]
    })
    .boxed()
}

/// A lambda over a collection of plain strings or of structured elements.
fn lambda() -> impl Strategy<Value = Expr> {
    let plain = select(&COLLECTIONS[..])
        .prop_flat_map(|collection| (joined(on_text(path("x")).boxed()), Just(collection), any::<bool>()));
    let guid = (select(vec![CompareOp::Eq, CompareOp::Ne]), select(&GUIDS[..]))
        .prop_map(|(op, guid)| compare(ExprKind::Path(path("x/SkuId")), op, Literal::Guid(guid.to_owned())));
    let structured = (joined(guid.boxed()), Just("assignedLicenses"), any::<bool>());
    prop_oneof![plain.boxed(), structured.boxed()].prop_map(|(body, collection, all)| {
        let body = Some((name("x"), Box::new(body)));
        expr(ExprKind::Lambda(Lambda { all, path: path(collection), body }))
    })
}

fn count() -> impl Strategy<Value = Expr> {
    (select(&COLLECTIONS[..]), comparison(), 0..3_i32).prop_map(|(collection, op, number)| {
        compare(ExprKind::Count(path(collection)), op, Literal::Int32(number.to_string()))
    })
}

/// Filters that mean something for a user.
pub fn filter() -> BoxedStrategy<Expr> {
    let flag = (select(&FLAGS[..]), select(vec![CompareOp::Eq, CompareOp::Ne]), any::<bool>())
        .prop_map(|(flag, op, value)| compare(ExprKind::Path(path(flag)), op, Literal::Bool(value)));
    let date = (select(&DATES[..]), comparison(), moment())
        .prop_map(|(date, op, value)| compare(ExprKind::Path(path(date)), op, value));
    let text = select(&TEXTS[..]).prop_flat_map(|name| on_text(path(name)));
    joined(prop_oneof![4 => text, 1 => flag, 2 => date, 2 => lambda(), 1 => count()].boxed())
}

/// A user with values from the same few words.
pub fn object() -> impl Strategy<Value = Node> {
    let text = || prop_oneof![6 => word().prop_map(Node::Text), 1 => Just(Node::Null)];
    let flag = || prop_oneof![any::<bool>().prop_map(Node::Bool), Just(Node::Null)];
    let date = || {
        prop_oneof![
            6 => select(&MOMENTS[..]).prop_map(|text| Node::Text(text.to_owned())),
            1 => Just(Node::Null),
            1 => Just(Node::Text("not a date".to_owned())),
        ]
    };
    let list = || prop_oneof![6 => vec(text(), 0..4).prop_map(Node::List), 1 => Just(Node::Null)];
    let license = select(&GUIDS[..])
        .prop_map(|guid| Node::Record(vec![("skuId".to_owned(), Node::Text(guid.to_owned()))]));
    let values =
        (text(), text(), text(), text(), flag(), flag(), date(), date(), list(), list(), vec(license, 0..3));
    values.prop_map(
        |(department, display, division, team, enabled, synced, created, hired, proxies, mails, licenses)| {
            let member = |name: &str, node: Node| (name.to_owned(), node);
            Node::Record(vec![
                member("department", department),
                member("displayName", display),
                member("employeeOrgData", Node::Record(vec![member("division", division)])),
                member("extension_0123456789abcdef0123456789abcdef_team", team),
                member("accountEnabled", enabled),
                member("onPremisesSyncEnabled", synced),
                member("createdDateTime", created),
                member("employeeHireDate", hired),
                member("proxyAddresses", proxies),
                member("otherMails", mails),
                member("assignedLicenses", Node::List(licenses)),
            ])
        },
    )
}

/// Any tree the language can write, sense or not.
pub fn any_tree() -> BoxedStrategy<Expr> {
    let literal = prop_oneof![
        any::<String>().prop_map(Literal::Text),
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i32>().prop_map(|number| Literal::Int32(number.to_string())),
        (i64::from(i32::MAX) + 1..i64::MAX).prop_map(|number| Literal::Int64(number.to_string())),
        select(vec!["1.5", "-0.25", "1e10", "INF", "-INF", "NaN"])
            .prop_map(|raw| Literal::Double(raw.to_owned())),
        Just(Literal::Decimal("2.55m".to_owned())),
        Just(Literal::Single("2f".to_owned())),
        select(&GUIDS[..]).prop_map(|raw| Literal::Guid(raw.to_owned())),
        select(&MOMENTS[..]).prop_map(|raw| Literal::DateTimeOffset(raw.to_owned())),
        Just(Literal::Date("-0044-03-15".to_owned())),
        Just(Literal::TimeOfDay("07:59:59.999".to_owned())),
        Just(Literal::Duration("duration'P1D'".to_owned())),
        Just(Literal::Binary("binary'AA=='".to_owned())),
        Just(Literal::Enum("Sales.Pattern'Yellow'".to_owned())),
    ];
    let identifier = "[a-zA-Z_$][a-zA-Z0-9_]{0,6}".prop_filter("keywords are no names", |word| {
        let reserved =
            ["not", "any", "all", "true", "false", "null", "inf", "nan", "$count", "duration", "binary"];
        !reserved.contains(&word.to_ascii_lowercase().as_str())
    });
    let names = || vec(identifier.clone(), 1..4).prop_map(|names| path(&names.join("/")));
    let literals = vec(literal.clone().prop_map(|value| expr(ExprKind::Literal(value))), 0..4);
    let leaf = prop_oneof![
        literal.prop_map(|value| expr(ExprKind::Literal(value))),
        names().prop_map(|path| expr(ExprKind::Path(path))),
        names().prop_map(|path| expr(ExprKind::Count(path))),
        (names(), literals).prop_map(|(left, items)| {
            let list = Box::new(expr(ExprKind::List(items)));
            expr(ExprKind::In(Box::new(expr(ExprKind::Path(left))), list))
        }),
    ];
    let (paths, functions, variables) = (names(), identifier.clone(), identifier.clone());
    leaf.prop_recursive(6, 40, 4, move |inner| {
        let pair =
            || (inner.clone(), inner.clone()).prop_map(|(left, right)| (Box::new(left), Box::new(right)));
        // A list of one and a value in parentheses look alike behind `in`.
        let in_pair = pair().prop_filter("a bare literal behind `in (` is a list", |(_, right)| {
            !matches!(right.kind, ExprKind::Literal(_))
        });
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| expr(ExprKind::And(parts))),
            vec(inner.clone(), 2..4).prop_map(|parts| expr(ExprKind::Or(parts))),
            inner.clone().prop_map(|part| expr(ExprKind::Not(Box::new(part)))),
            inner
                .clone()
                .prop_filter("a sign joins its number", |part| !is_number(part))
                .prop_map(|part| expr(ExprKind::Negate(Box::new(part)))),
            (select(CompareOps::ALL.to_vec()), pair())
                .prop_map(|(op, (left, right))| expr(ExprKind::Compare(op, left, right))),
            (select(ArithmeticOps::ALL.to_vec()), pair())
                .prop_map(|(op, (left, right))| expr(ExprKind::Arithmetic(op, left, right))),
            in_pair.prop_map(|(left, right)| expr(ExprKind::In(left, right))),
            (functions.clone(), vec(inner.clone(), 0..3))
                .prop_map(|(function, arguments)| expr(ExprKind::Call(name(&function), arguments))),
            (paths.clone(), variables.clone(), inner.clone(), any::<bool>()).prop_filter_map(
                "a variable is declared once",
                |(path, variable, body, all)| {
                    let fresh = !declares(&body, &variable);
                    fresh.then(|| {
                        expr(ExprKind::Lambda(Lambda {
                            all,
                            path,
                            body: Some((name(&variable), Box::new(body))),
                        }))
                    })
                }
            ),
        ]
    })
    .boxed()
}

struct CompareOps;
impl CompareOps {
    const ALL: [CompareOp; 7] = [
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Gt,
        CompareOp::Ge,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Has,
    ];
}

struct ArithmeticOps;
impl ArithmeticOps {
    const ALL: [ArithmeticOp; 6] = [
        ArithmeticOp::Add,
        ArithmeticOp::Sub,
        ArithmeticOp::Mul,
        ArithmeticOp::Div,
        ArithmeticOp::DivBy,
        ArithmeticOp::Mod,
    ];
}

/// Numbers: a minus sign before one becomes part of it.
fn is_number(expr: &Expr) -> bool {
    matches!(
        &expr.kind,
        ExprKind::Literal(
            Literal::Int32(_)
                | Literal::Int64(_)
                | Literal::Double(_)
                | Literal::Decimal(_)
                | Literal::Single(_)
        )
    )
}

fn declares(expr: &Expr, variable: &str) -> bool {
    expr.to_string().contains(&format!("({variable}:"))
}
