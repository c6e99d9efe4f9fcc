//! The custom filter in the browser: what happens at a key, a click, or an answer of the server.
//!
//! One listener on the section hears everything that happens in it. What is shown is markup in places with an id, which nothing else writes.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::future::{AbortHandle, abortable};
use leptos::{
    leptos_dom::helpers::{TimeoutHandle, document, set_timeout_with_handle},
    task::spawn_local,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::{Element, Event, HtmlElement, HtmlInputElement, HtmlTextAreaElement, KeyboardEvent},
};
use odata_filter::Fix;

use super::{
    ask_filter,
    judged::{judge, paint},
    offer::{Choice, byte_at, offer, option_id, options, utf16_at},
    ready::{joined, place_to_fill_in},
};

/// How long after the last keystroke the server is asked.
const PAUSE: u64 = 300;
const FIELD: &str = "custom_filter";
const LIST: &str = "custom_filter-options";
const PAINT: &str = "custom_filter-paint";

/// What is asked of the server. A question that waits or is on its way is called back by the next about the same.
#[derive(Clone, Copy)]
enum Ask {
    Impact,
    Person,
    Values,
}

impl Ask {
    /// The place of the answer.
    const fn place(self) -> &'static str {
        match self {
            Self::Impact => "filter-impact",
            Self::Person => "filter-person",
            Self::Values => LIST,
        }
    }
}

#[derive(Default)]
struct State {
    is_refused: bool,
    fix: Option<Fix>,
    choices: Vec<Choice>,
    active: Option<usize>,
    /// Values that were asked for: the property, what was typed, and the answer.
    known: Vec<(String, String, String)>,
    /// What waits for its pause, and what is on its way, by [`Ask`].
    waiting: [Option<TimeoutHandle>; 3],
    asked: [Option<AbortHandle>; 3],
}

struct Live {
    slug: String,
    can_change: bool,
    state: RefCell<State>,
}

/// Brings the field to life.
pub(super) fn start(section: &Element, slug: String, can_change: bool) {
    let live = Rc::new(Live { slug, can_change, state: RefCell::default() });
    let first = Rc::clone(&live);
    // A page that the browser itself has built is put into the document after this. The text is judged anew because a browser may put back
    // what was typed before a reload.
    live.later(Ask::Impact, 0, move || {
        if let Some(paint) = by_id::<Element>(PAINT) {
            show(&paint, true);
        }
        first.settle();
    });
    let on_event = Closure::<dyn Fn(Event)>::new(move |event: Event| live.on(&event)).into_js_value();
    for name in ["input", "change", "keydown", "click", "mousedown", "focusout", "scroll"] {
        // `scroll` does not rise to the section; on its way down everything passes it.
        let added = section.add_event_listener_with_callback_and_bool(name, on_event.unchecked_ref(), true);
        // A browser that refuses a listener shows the page as one without JavaScript.
        drop(added);
    }
}

impl Live {
    fn on(self: &Rc<Self>, event: &Event) {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        let id = target.id();
        match (event.type_().as_str(), id.as_str()) {
            ("input", FIELD) => {
                self.changed(&text());
                self.open(false);
            }
            ("keydown", FIELD) => self.on_key(event),
            ("click" | "focusout", FIELD) => self.close(),
            ("scroll", FIELD) => {
                if let Some(paint) = by_id::<Element>(PAINT) {
                    paint.set_scroll_top(target.scroll_top());
                }
            }
            ("change", "include_disabled") => self.settle(),
            ("keydown", "check_person") if key(event) == "Enter" => self.check_person(event),
            ("click", "check_person-button") => self.check_person(event),
            // The field keeps the focus.
            ("mousedown", _) if target.closest("#custom_filter-options").is_ok_and(|list| list.is_some()) => {
                event.prevent_default();
                let entry = target.closest("li").ok().flatten();
                if let Some(at) = entry.and_then(|entry| entry.id().rsplit('-').next()?.parse().ok()) {
                    self.take(at);
                }
            }
            // Nor does it lose it here: the verdict would be written anew, and the click would miss the button.
            ("mousedown", "custom_filter-fix") => event.prevent_default(),
            ("click", "custom_filter-fix") => self.correct(),
            ("click", _) => {
                let Some(start) = target.get_attribute("data-filter") else { return };
                event.prevent_default();
                let text = joined(&text(), &start);
                self.write(&text, place_to_fill_in(&text));
                self.open(false);
            }
            _ => {}
        }
    }

    /// Judges the text and shows the verdict. While somebody types, what is missing at the end is not wrong yet.
    fn judge(&self, text: &str, is_typing: bool) {
        let judged = judge(text);
        let refused = judged.as_ref().is_some_and(|judged| judged.is_refused());
        let verdict =
            judged.as_ref().map(|judged| judged.markup(is_typing, self.can_change)).unwrap_or_default();
        put("custom_filter-verdict", &verdict);
        let marks = judged.as_ref().filter(|_| !is_typing).map(|judged| judged.marks.as_slice());
        put(PAINT, &paint(text, marks.unwrap_or_default()));
        set_or_remove("aria-invalid", (refused && !is_typing).then_some("true"));
        let mut state = self.state.borrow_mut();
        state.is_refused = refused;
        state.fix = judged.and_then(|judged| judged.trouble).and_then(|trouble| trouble.fix);
    }

    /// The typing is over: the verdict is final, and the server is asked whom the filter would take in. As long as the list offers how to go on,
    /// the end of the text is not wrong.
    fn settle(self: &Rc<Self>) {
        let is_open = !self.state.borrow().choices.is_empty();
        self.judge(&text(), is_open);
        if self.state.borrow().is_refused {
            put(Ask::Impact.place(), "");
        } else {
            self.ask(Ask::Impact, "impact", String::new(), 0);
        }
    }

    /// The text changed, by whatever hand.
    fn changed(self: &Rc<Self>, text: &str) {
        self.judge(text, true);
        let live = Rc::clone(self);
        self.later(Ask::Impact, PAUSE, move || live.settle());
    }

    fn write(self: &Rc<Self>, text: &str, cursor: usize) {
        let Some(field) = field() else { return };
        let place = utf16_at(text, cursor);
        field.set_value(text);
        // A field that is not shown cannot be focused; then the text is there all the same.
        drop(field.focus());
        drop(field.set_selection_range(place, place));
        self.changed(text);
    }

    fn correct(self: &Rc<Self>) {
        let fix = self.state.borrow().fix.clone();
        if let Some(fix) = fix {
            self.write(&fix.apply(&text()), fix.span.start + fix.replacement.len());
        }
    }

    fn show(&self, choices: Vec<Choice>, active: Option<usize>) {
        let status = match choices.len() {
            0 => String::new(),
            number => format!("Suggestions: {number}. Arrow keys choose, Enter takes, Escape closes."),
        };
        put("custom_filter-status", &status);
        put(LIST, &options(&choices, active));
        if let Some(list) = by_id::<Element>(LIST) {
            show(&list, !choices.is_empty());
        }
        set_or_remove("aria-activedescendant", active.map(option_id).as_deref());
        let mut state = self.state.borrow_mut();
        state.choices = choices;
        state.active = active;
    }

    fn hide(&self) {
        self.forget(Ask::Values);
        if !self.state.borrow().choices.is_empty() {
            self.show(Vec::new(), None);
        }
    }

    /// Closes the list by hand: what stands there is meant.
    fn close(&self) {
        self.hide();
        self.judge(&text(), false);
    }

    /// Opens the list where it helps, or wherever it is asked for.
    fn open(self: &Rc<Self>, by_hand: bool) {
        let Some(field) = field().filter(|_| self.can_change) else { return };
        let text = field.value();
        let at = byte_at(&text, field.selection_start().ok().flatten().unwrap_or_default());
        let mut found = offer(&text, at);
        // A list that nobody asked for comes where something is begun, or right behind a sign that something has to follow.
        let follows = text.get(..at).is_some_and(|before| before.ends_with([' ', '(', '/', ',', '\'', ':']));
        if !by_hand && !found.is_begun && !follows {
            return self.hide();
        }
        self.forget(Ask::Values);
        if let Some((property, typed)) = found.values_of.clone() {
            let known = self.known(&property, &typed);
            match known {
                Some(values) => found = found.with_values(&values),
                None => self.ask(Ask::Values, &property, typed, PAUSE),
            }
        }
        let active = (found.is_begun && !found.choices.is_empty()).then_some(0);
        self.show(found.choices, active);
    }

    fn known(&self, property: &str, typed: &str) -> Option<String> {
        let state = self.state.borrow();
        let mut known = state.known.iter();
        known.find(|(of, with, _)| of == property && with == typed).map(|(.., values)| values.clone())
    }

    fn take(self: &Rc<Self>, at: usize) {
        let choice = self.state.borrow().choices.get(at).cloned();
        if let Some(choice) = choice {
            let (text, cursor) = choice.take(&text());
            self.write(&text, cursor);
            self.open(false);
        }
    }

    fn move_to(&self, at: usize) {
        let choices = std::mem::take(&mut self.state.borrow_mut().choices);
        self.show(choices, Some(at));
        if let (Some(option), Some(list)) = (by_id::<HtmlElement>(&option_id(at)), by_id::<Element>(LIST)) {
            list.set_scroll_top(option.offset_top() - list.client_height() / 2);
        }
    }

    fn on_key(self: &Rc<Self>, event: &Event) {
        let (length, at) = {
            let state = self.state.borrow();
            (state.choices.len(), state.active)
        };
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        match (event.key().as_str(), length) {
            (" ", 0) if event.ctrl_key() => self.open(true),
            ("ArrowDown", 0) if event.alt_key() => self.open(true),
            (_, 0) => return,
            ("ArrowDown", _) => self.move_to(at.map_or(0, |at| (at + 1) % length)),
            ("ArrowUp", _) => self.move_to(at.map_or(length - 1, |at| (at + length - 1) % length)),
            ("Enter" | "Tab", _) if !event.shift_key() => match at {
                Some(at) => self.take(at),
                None => return self.close(),
            },
            ("Escape", _) => self.close(),
            _ => return,
        }
        event.prevent_default();
    }

    fn check_person(self: &Rc<Self>, event: &Event) {
        event.prevent_default();
        if let Some(who) = by_id::<HtmlInputElement>("check_person") {
            self.ask(Ask::Person, "person", who.value(), 0);
        }
    }

    fn forget(&self, ask: Ask) {
        let mut state = self.state.borrow_mut();
        if let Some(timeout) = state.waiting.get_mut(ask as usize).and_then(Option::take) {
            timeout.clear();
        }
        if let Some(asked) = state.asked.get_mut(ask as usize).and_then(Option::take) {
            asked.abort();
        }
    }

    fn later(&self, ask: Ask, pause: u64, work: impl FnOnce() + 'static) {
        self.forget(ask);
        let timeout = set_timeout_with_handle(work, Duration::from_millis(pause)).ok();
        if let Some(waiting) = self.state.borrow_mut().waiting.get_mut(ask as usize) {
            *waiting = timeout;
        }
    }

    fn ask(self: &Rc<Self>, ask: Ask, about: &str, typed: String, pause: u64) {
        let (live, about) = (Rc::clone(self), about.to_owned());
        self.later(ask, pause, move || {
            let ticked = by_id::<HtmlInputElement>("include_disabled").is_some_and(|input| input.checked());
            let question = ask_filter(live.slug.clone(), text(), ticked, about.clone(), typed.clone());
            let (question, handle) = abortable(question);
            if let Some(asked) = live.state.borrow_mut().asked.get_mut(ask as usize) {
                *asked = Some(handle);
            }
            working(ask, true);
            spawn_local(async move {
                let answer = question.await;
                working(ask, false);
                match (answer, ask) {
                    // A question that was called back.
                    (Err(_), _) => {}
                    (Ok(Ok(values)), Ask::Values) => {
                        live.state.borrow_mut().known.push((about, typed, values));
                        live.open(true);
                    }
                    (Ok(Err(_)), Ask::Values) => {}
                    (Ok(Ok(markup)), _) => put(ask.place(), &markup),
                    (Ok(Err(error)), _) => {
                        if let Some(place) = by_id::<Element>(ask.place()) {
                            place.set_text_content(Some(&error.to_string()));
                        }
                    }
                }
            });
        });
    }
}

fn by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

fn field() -> Option<HtmlTextAreaElement> {
    by_id(FIELD)
}

fn text() -> String {
    field().map(|field| field.value()).unwrap_or_default()
}

fn key(event: &Event) -> String {
    event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default()
}

/// Puts markup in its place, which is gone when the page was left meanwhile.
fn put(id: &str, markup: &str) {
    if let Some(place) = by_id::<Element>(id) {
        place.set_inner_html(markup);
    }
}

fn set_or_remove(attribute: &str, value: Option<&str>) {
    let Some(field) = field() else { return };
    // The names are fixed and valid: neither can fail.
    drop(match value {
        Some(value) => field.set_attribute(attribute, value),
        None => field.remove_attribute(attribute),
    });
}

fn show(element: &Element, visible: bool) {
    drop(if visible { element.remove_attribute("hidden") } else { element.set_attribute("hidden", "") });
}

fn working(ask: Ask, is_working: bool) {
    if let Some(place) = by_id::<Element>(ask.place()) {
        drop(place.set_attribute("aria-busy", if is_working { "true" } else { "false" }));
    }
}
