//! What is said about the text of a filter: a pure function of the text, so the server renders it with the page and the browser renews it
//! at every keystroke.

use odata_filter::{Code, Fix, Problem, Report, Resource, Span, Verdict, check};

use crate::components::{
    Tone,
    markup::{escape, icon, push},
};

/// Characters of the line that are shown before the place of a problem, and behind it.
const AROUND: (usize, usize) = (32, 24);

/// What is said about a text.
#[derive(Debug)]
pub(super) struct Judged {
    pub tone: Tone,
    /// The verdict on the whole.
    pub verdict: &'static str,
    /// What is wrong, or what to know, and where.
    pub trouble: Option<Trouble>,
    /// Every clause, its tone and the verdict on it; empty when there is only one, or when the text cannot be read.
    pub clauses: Vec<(String, Tone, String)>,
    /// The stretches to underline, from left to right, in bytes.
    pub marks: Vec<Span>,
}

/// One problem and its place.
#[derive(Debug)]
pub(super) struct Trouble {
    /// Message and suggestion, with the position as a text editor counts: from 1, in characters.
    pub words: String,
    /// The part of the line around it.
    pub line: String,
    /// As many blanks as there are before the place, and a caret for each of its characters.
    pub caret: String,
    /// A correction that can be applied.
    pub fix: Option<Fix>,
    /// Whether it lies at the end of the text: whoever still types has not got there yet.
    pub at_end: bool,
}

impl Judged {
    pub fn is_refused(&self) -> bool {
        self.tone == Tone::Bad
    }
}

/// Judges a text; a blank one means everyone and has no verdict.
pub(super) fn judge(text: &str) -> Option<Judged> {
    if text.trim().is_empty() {
        return None;
    }
    let report = check(Resource::Users, text);
    let code = report.problem.as_ref().map(|problem| problem.code);
    let (tone, verdict) = match (report.verdict, code) {
        (Verdict::Rejected, _) => (Tone::Bad, "Microsoft Graph refuses this filter."),
        (_, Some(Code::NotFollowed)) => {
            (Tone::Bad, "Graph takes this filter, but the sync cannot follow it.")
        }
        (_, Some(_)) => (
            Tone::Warning,
            "Probably accepted: Microsoft's documents disagree. Press Test to ask your tenant.",
        ),
        (Verdict::AcceptedAdvanced, None) => (
            Tone::Good,
            "Accepted as an advanced query: the portal asks for it with ConsistencyLevel: eventual and $count=true.",
        ),
        (Verdict::Accepted, None) => (Tone::Good, "Accepted."),
    };
    let mut marks: Vec<Span> = report.problems.iter().map(|problem| visible(text, problem.span)).collect();
    marks.sort_by_key(|span| span.start);
    marks.dedup_by(|later, earlier| later.start < earlier.end);
    Some(Judged {
        tone,
        verdict,
        trouble: report.problem.as_ref().map(|problem| trouble(text, problem)),
        clauses: clauses(text, &report),
        marks,
    })
}

/// The place of a problem, at least one character wide where there is one.
fn visible(text: &str, span: Span) -> Span {
    if span.start < span.end {
        return span;
    }
    let next = text.get(span.start..).and_then(|rest| rest.chars().next());
    Span::new(span.start, span.start + next.map_or(0, char::len_utf8))
}

fn clauses(text: &str, report: &Report) -> Vec<(String, Tone, String)> {
    if report.clauses.len() < 2 {
        return Vec::new();
    }
    report
        .clauses
        .iter()
        .map(|clause| {
            let (tone, words) = match (clause.verdict, &clause.problem) {
                (Verdict::Rejected, problem) => {
                    let why = problem.as_ref().map(|problem| problem.message.as_str()).unwrap_or_default();
                    (Tone::Bad, format!("refused: {why}"))
                }
                (_, Some(problem)) if problem.code == Code::NotFollowed => {
                    (Tone::Bad, "the sync cannot follow it".to_owned())
                }
                (_, Some(_)) => (Tone::Warning, "probably accepted".to_owned()),
                (Verdict::AcceptedAdvanced, None) => (Tone::Good, "accepted, advanced query".to_owned()),
                (Verdict::Accepted, None) => (Tone::Good, "accepted".to_owned()),
            };
            (slice(text, clause.span).to_owned(), tone, words)
        })
        .collect()
}

fn trouble(text: &str, problem: &Problem) -> Trouble {
    let Span { start, end } = problem.span;
    let before = text.get(..start).unwrap_or_default();
    let position = before.chars().count() + 1;
    let hint = problem.hint.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default();
    // The line in which the place begins, cut to what is around it.
    let lead: Vec<char> = before.chars().rev().take_while(|c| *c != '\n').collect();
    let width = slice(text, problem.span).chars().take_while(|c| *c != '\n').count().max(1);
    let shown = lead.len().min(AROUND.0);
    let mut line: String = lead.iter().take(shown).rev().collect();
    if lead.len() > shown {
        line.insert(0, '…');
    }
    let indent = line.chars().count();
    line.extend(
        text.get(start..).unwrap_or_default().chars().take_while(|c| *c != '\n').take(width + AROUND.1),
    );
    Trouble {
        words: format!("Position {position}: {}{hint} ({})", problem.message, problem.code.as_str()),
        line,
        caret: format!("{}{}", " ".repeat(indent), "^".repeat(width)),
        fix: problem.fix.clone(),
        at_end: end >= text.trim_end().len(),
    }
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}

/// The text as it is painted behind the field: invisible but for the marks.
pub(super) fn paint(text: &str, marks: &[Span]) -> String {
    let mut markup = String::new();
    let mut at = 0;
    for mark in marks {
        escape(&mut markup, slice(text, Span::new(at, mark.start)));
        markup.push_str("<mark>");
        // Behind the last character there is nothing to underline but a blank.
        escape(&mut markup, Some(slice(text, *mark)).filter(|marked| !marked.is_empty()).unwrap_or("\u{a0}"));
        markup.push_str("</mark>");
        at = mark.end;
    }
    escape(&mut markup, text.get(at..).unwrap_or_default());
    // The blank keeps a last empty line as high as the field's.
    markup.push(' ');
    markup
}

impl Judged {
    /// The verdict, its reason with the place, and the clauses. `is_soft` while somebody is in the midst of typing: then what is missing at
    /// the end is not wrong yet. The button of a correction has an id of its own.
    pub fn markup(&self, is_soft: bool, can_fix: bool) -> String {
        let soft = is_soft && self.is_unfinished();
        let (class, sign, verdict) = if soft {
            ("unfinished", "dash", "Not finished yet.")
        } else {
            (self.tone.class(), self.tone.icon(), self.verdict)
        };
        let mut markup = String::new();
        push(&mut markup, &["<div class=\"verdict ", class, "\"><p class=\"verdict-words\">"]);
        icon(&mut markup, sign);
        push(&mut markup, &["<span>", verdict, "</span></p>"]);
        if let Some(trouble) = &self.trouble {
            markup.push_str("<p class=\"trouble\" id=\"custom_filter-trouble\">");
            escape(&mut markup, &trouble.words);
            if let Some(fix) = trouble.fix.as_ref().filter(|_| can_fix) {
                markup.push_str(
                    " <button type=\"button\" class=\"button small\" id=\"custom_filter-fix\">Use ",
                );
                escape(&mut markup, fix.replacement.trim());
                markup.push_str("</button>");
            }
            markup.push_str("</p><pre class=\"caret\" aria-hidden=\"true\">");
            escape(&mut markup, &trouble.line);
            push(&mut markup, &["\n<span>", &trouble.caret, "</span></pre>"]);
        }
        if !self.clauses.is_empty() {
            markup.push_str("<ul class=\"plain clauses\" aria-label=\"Verdict on each clause\">");
            for (text, tone, words) in &self.clauses {
                push(&mut markup, &["<li class=\"", tone.class(), "\">"]);
                icon(&mut markup, tone.icon());
                markup.push_str("<code>");
                escape(&mut markup, text);
                markup.push_str("</code><span>");
                escape(&mut markup, words);
                markup.push_str("</span></li>");
            }
            markup.push_str("</ul>");
        }
        markup.push_str("</div>");
        markup
    }

    /// Whether something is missing at the end.
    fn is_unfinished(&self) -> bool {
        self.is_refused() && self.trouble.as_ref().is_some_and(|trouble| trouble.at_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_text_has_no_verdict() {
        assert!(judge(" \n").is_none());
    }

    #[test]
    fn a_problem_is_named_with_position_caret_and_suggestion() {
        let judged = judge("city eq 'x' and departmnet eq 'Sales'").unwrap();
        assert!(judged.is_refused());
        let trouble = judged.trouble.unwrap();
        assert!(trouble.words.starts_with("Position 17: "), "{}", trouble.words);
        assert_eq!(trouble.line, "city eq 'x' and departmnet eq 'Sales'");
        assert_eq!(trouble.caret, format!("{}{}", " ".repeat(16), "^".repeat(10)));
        assert_eq!(trouble.fix.unwrap().replacement, "department");
        assert!(!trouble.at_end);
        let tones: Vec<_> = judged.clauses.iter().map(|(_, tone, _)| *tone).collect();
        assert_eq!(tones, [Tone::Good, Tone::Bad]);
    }

    #[test]
    fn the_caret_stands_under_its_place_in_a_long_line_and_in_a_later_one() {
        let long = format!("{} and nosuch eq 'x'", "city eq 'x' or ".repeat(20).trim_end_matches(" or "));
        for text in
            [long.as_str(), "city eq 'x'\nand nosuch eq 'äöü'", "country eq 'Österreich' and nosuch eq 'x'"]
        {
            let trouble = judge(text).unwrap().trouble.unwrap();
            let at = trouble.caret.find('^').unwrap();
            let under: String = trouble.line.chars().skip(at).take(trouble.caret.len() - at).collect();
            assert_eq!(under, "nosuch", "{}\n{}", trouble.line, trouble.caret);
        }
    }

    #[test]
    fn what_is_missing_at_the_end_is_known_to_be_there() {
        assert!(judge("department eq ").unwrap().trouble.unwrap().at_end);
        assert!(judge("department eq 'Sal").unwrap().trouble.unwrap().at_end);
    }

    #[test]
    fn an_advanced_query_and_a_disagreement_are_no_refusals() {
        let advanced = judge("companyName eq 'Contoso'").unwrap();
        assert!(advanced.tone == Tone::Good && advanced.verdict.contains("advanced query"));
        assert!(judge("signInActivity/lastSignInDateTime ge 2026-01-01T00:00:00Z").unwrap().is_refused());
    }

    #[test]
    fn what_is_painted_is_the_text_with_its_marks_and_no_markup_of_its_own() {
        let paint = |text: &str| paint(text, &judge(text).unwrap().marks);
        assert_eq!(paint("nosuch eq '<b>'"), "<mark>nosuch</mark> eq '&lt;b&gt;' ");
        assert_eq!(paint("city eq 'x'"), "city eq 'x' ");
        assert!(paint("ä eq 'ö' or").ends_with("<mark>\u{a0}</mark> "), "{}", paint("ä eq 'ö' or"));
    }

    #[test]
    fn the_markup_shows_text_as_text() {
        let markup = judge("<i> eq 'x' and city eq '<script>'").unwrap().markup(false, true);
        assert!(!markup.contains("<i>") && !markup.contains("<script>"), "{markup}");
    }

    #[test]
    fn who_still_types_is_not_scolded_for_the_end() {
        let judged = judge("department eq").unwrap();
        assert!(judged.markup(true, true).contains("Not finished yet."));
        assert!(judged.markup(false, true).contains("refuses"));
        assert!(judge("nosuch eq 'x'").unwrap().markup(true, true).contains("refuses"));
    }
}
