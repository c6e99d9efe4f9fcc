//! What Graph will say to a filter, before it is sent.
//!
//! Three steps, as on the way through Graph: parse and bind ([`types`], → `BadRequest`), then each clause
//! against the capability tables ([`clause`], [`support`], in the words of [`wording`]), then the whole against the limits ([`limits`]). The result tells
//! what either engine answers, so that the same code advises an administrator and answers for the simulator.

mod clause;
mod functions;
mod limits;
mod support;
mod types;
mod wording;

pub use limits::{MAX_ADDRESS, MAX_ALTERNATIVES, MAX_HEIGHT, MAX_VALUE};

use crate::{
    ast::{CompareOp, Expr, ExprKind},
    capability::Resource,
    parser::parse,
    problem::{Problem, Span},
};
use clause::{Judge, Judgement, leaves};
use wording::unsupported;

/// Graph's verdict on a filter or a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Taken as it is.
    Accepted,
    /// Taken with `ConsistencyLevel: eventual` and `$count=true`.
    AcceptedAdvanced,
    /// Refused either way.
    Rejected,
}

impl Verdict {
    /// `accepted`, `accepted_advanced` or `rejected`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Accepted => "accepted",
            Verdict::AcceptedAdvanced => "accepted_advanced",
            Verdict::Rejected => "rejected",
        }
    }
}

/// Where a filter is sent: some addresses take less than the plain list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /users`, `GET /groups`
    #[default]
    List,
    /// The same with `$expand`, which rules the advanced engine out.
    Expanded,
    /// `GET /groups/{id}/members` and other relationships: advanced only.
    Members,
    /// `GET /users/delta`: only ids.
    Delta,
}

/// Objects that one delta query can be restricted to.
pub const MAX_DELTA_IDS: usize = 50;

/// One clause of a filter and its verdict.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Where it stands.
    pub span: Span,
    /// The verdict on it alone.
    pub verdict: Verdict,
    /// Why it is refused, or what to know about it.
    pub problem: Option<Problem>,
}

/// Everything there is to say about a filter.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict on the whole.
    pub verdict: Verdict,
    /// Why it is refused; for an accepted filter, whether the sources disagree or the sync cannot follow.
    pub problem: Option<Problem>,
    /// Every clause, from left to right; empty when the filter cannot be parsed.
    pub clauses: Vec<Clause>,
    /// All that is wrong, in the order of Graph's checks; the first is [`Report::problem`] of a refused filter.
    pub problems: Vec<Problem>,
    /// The properties of the object that the filter reads, in canonical case, each once: what to `$select`.
    pub properties: Vec<String>,
    /// What Graph answers without the advanced parameters; `None` when it accepts.
    pub default_engine: Option<Problem>,
    /// What Graph answers with them; `None` when it accepts.
    pub advanced_engine: Option<Problem>,
}

/// Checks a filter for the list of `resource`.
///
/// An empty or blank filter is refused here as it is by Graph; that an empty field means everyone is up to the
/// caller.
#[must_use]
pub fn check(resource: Resource, text: &str) -> Report {
    check_at(resource, Endpoint::List, text)
}

/// Checks a filter for one of Graph's addresses.
#[must_use]
pub fn check_at(resource: Resource, endpoint: Endpoint, text: &str) -> Report {
    let expr = match parse(text) {
        Ok(expr) => expr,
        Err(problem) => return Report::refused(vec![problem], Vec::new()),
    };
    let binding = types::bind(resource, text, &expr);
    let judge = Judge { resource, text };
    let mut found = Vec::new();
    leaves(&expr, false, &mut found);
    let judged: Vec<(Span, Judgement)> = found
        .iter()
        .map(|leaf| (leaf.expr.span, judge.judge(leaf.expr, leaf.negated, &mut Vec::new())))
        .collect();
    let clauses = judged.iter().map(|(span, judgement)| clause_report(*span, judgement, &binding)).collect();
    if !binding.is_empty() {
        let late = judged.into_iter().filter_map(|(_, judgement)| judgement.advanced);
        return Report::refused(binding.into_iter().chain(late).collect(), clauses);
    }
    whole(resource, endpoint, text, &expr, judged, clauses)
}

fn clause_report(span: Span, judgement: &Judgement, binding: &[Problem]) -> Clause {
    let inside = |problem: &&Problem| problem.span.start >= span.start && problem.span.end <= span.end;
    let remark = judgement.not_followed.as_ref().or(judgement.doubt.as_ref());
    let (verdict, problem) = match (binding.iter().find(inside), &judgement.default, &judgement.advanced) {
        (Some(problem), ..) => (Verdict::Rejected, Some(problem)),
        (None, None, _) => (Verdict::Accepted, remark),
        (None, Some(_), None) => (Verdict::AcceptedAdvanced, remark),
        (None, Some(_), Some(problem)) => (Verdict::Rejected, Some(problem)),
    };
    Clause { span, verdict, problem: problem.cloned() }
}

fn whole(
    resource: Resource,
    endpoint: Endpoint,
    text: &str,
    expr: &Expr,
    judged: Vec<(Span, Judgement)>,
    clauses: Vec<Clause>,
) -> Report {
    let limits = limits::check(resource, text, expr);
    let mut properties: Vec<String> = Vec::new();
    for root in judged.iter().flat_map(|(_, judgement)| &judgement.roots) {
        if !properties.contains(root) {
            properties.push(root.clone());
        }
    }
    let first =
        |pick: fn(&Judgement) -> Option<&Problem>| judged.iter().find_map(|(_, one)| pick(one)).cloned();
    let mut default_engine = first(|one| one.default.as_ref());
    let advanced_only = judged.iter().any(|(_, one)| one.default.is_some() && one.advanced.is_none());
    // What is wrong by itself is named before what is wrong only beside the other clauses.
    let mut advanced_engine = first(|one| one.advanced.as_ref().filter(|_| !one.default_only))
        .or_else(|| first(|one| one.advanced.as_ref()));

    let alone = sign_in_activity_with_others(&judged, &properties);
    let reported = limits.reported.filter(|_| !advanced_only);
    for limit in [&limits.both, &alone] {
        default_engine = default_engine.or_else(|| limit.clone());
        advanced_engine = advanced_engine.or_else(|| limit.clone());
    }
    default_engine = default_engine.or(limits.default).or_else(|| reported.clone());
    advanced_engine = advanced_engine.or(reported);

    match endpoint {
        Endpoint::List => {}
        Endpoint::Expanded => advanced_engine = default_engine.clone(),
        Endpoint::Members => {
            let message = "The specified filter to the reference property query is currently not supported.";
            default_engine = Some(Problem::unsupported(message, expr.span));
        }
        Endpoint::Delta => {
            let refusal = (!only_ids(expr)).then(|| unsupported(expr.span));
            default_engine = refusal.clone().map(|problem| {
                problem.hint(format!(
                    "A delta query takes only id eq '…', joined by 'or', at most {MAX_DELTA_IDS}."
                ))
            });
            advanced_engine = refusal;
        }
    }

    let verdict = match (&default_engine, &advanced_engine) {
        (None, _) => Verdict::Accepted,
        (Some(_), None) => Verdict::AcceptedAdvanced,
        (Some(_), Some(_)) => Verdict::Rejected,
    };
    let remark = first(|one| one.not_followed.as_ref()).or_else(|| first(|one| one.doubt.as_ref()));
    let problem = if verdict == Verdict::Rejected { advanced_engine.clone() } else { remark };
    let mut problems: Vec<Problem> = problem.iter().cloned().collect();
    for (_, one) in &judged {
        let own = one.advanced.as_ref().filter(|_| one.default.is_some());
        problems.extend([own, one.not_followed.as_ref(), one.doubt.as_ref()].into_iter().flatten().cloned());
    }
    dedup(&mut problems);
    Report { verdict, problem, clauses, problems, properties, default_engine, advanced_engine }
}

impl Report {
    fn refused(mut problems: Vec<Problem>, clauses: Vec<Clause>) -> Report {
        dedup(&mut problems);
        let first = problems.first().cloned();
        Report {
            verdict: Verdict::Rejected,
            problem: first.clone(),
            clauses,
            problems,
            properties: Vec::new(),
            default_engine: first.clone(),
            advanced_engine: first,
        }
    }
}

/// Keeps the first of several problems at the same place.
fn dedup(problems: &mut Vec<Problem>) {
    let mut places = Vec::with_capacity(problems.len());
    problems.retain(|problem| {
        let fresh = !places.contains(&problem.span);
        places.push(problem.span);
        fresh
    });
}

/// G12: sign-in activity has to be the only property of its filter.
fn sign_in_activity_with_others(judged: &[(Span, Judgement)], properties: &[String]) -> Option<Problem> {
    let sign_in = |name: &String| name == "signInActivity";
    if properties.len() < 2 || !properties.iter().any(sign_in) {
        return None;
    }
    let (span, _) = judged.iter().find(|(_, one)| one.roots.iter().any(sign_in))?;
    Some(unsupported(*span).hint("signInActivity cannot be combined with another property."))
}

fn only_ids(expr: &Expr) -> bool {
    let alternatives = match &expr.kind {
        ExprKind::Or(operands) => operands.as_slice(),
        _ => std::slice::from_ref(expr),
    };
    let is_id = |expr: &Expr| match &expr.kind {
        ExprKind::Compare(CompareOp::Eq, left, _) => {
            matches!(&left.kind, ExprKind::Path(path) if path.text().eq_ignore_ascii_case("id"))
        }
        _ => false,
    };
    alternatives.len() <= MAX_DELTA_IDS && alternatives.iter().all(is_id)
}
