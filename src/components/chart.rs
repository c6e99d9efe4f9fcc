//! Pictures of numbers, drawn on the server: SVG without inline styles, and the same numbers as a table for who does not see it.

use leptos::prelude::*;

use super::count;

/// The width of a column with its gap, and the height of the drawing, in the units of the SVG.
const COLUMN: i64 = 20;
const HEIGHT: i64 = 120;

/// What a part of a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// The words of the legend and of the table.
    pub words: &'static str,
    /// The class that colours it.
    pub class: &'static str,
}

/// One column of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What the column is about, such as a day.
    pub label: String,
    /// A number for each series.
    pub values: Vec<i64>,
    /// How many failures are marked over it.
    pub failures: i64,
}

/// How tall the part of a bar is: in proportion, but never so small that something looks like nothing.
fn tall(value: i64, most: i64) -> i64 {
    if value == 0 { 0 } else { (value * HEIGHT / most.max(1)).clamp(3, HEIGHT) }
}

/// Columns of stacked bars, with a legend. `caption` says what the picture shows.
pub fn columns(caption: &'static str, series: &[Series], columns: Vec<Column>) -> impl IntoView + use<> {
    let most = columns.iter().map(|column| column.values.iter().sum()).max().unwrap_or(0);
    let width = COLUMN * i64::try_from(columns.len()).unwrap_or(0);
    let any_failure = columns.iter().any(|column| column.failures > 0);
    let bars = columns.iter().zip((0..).step_by(20)).map(|(column, x): (&Column, i64)| {
        let mut top = HEIGHT + 12;
        let parts =
            column.values.iter().zip(series).filter(|(value, _)| **value > 0).map(|(value, series)| {
                let height = tall(*value, most);
                top = (top - height).max(12);
                view! { <rect class=series.class x=x + 3 y=top width=COLUMN - 6 height=height></rect> }
            });
        let parts = parts.collect_view();
        let told = column.values.iter().zip(series).filter(|(value, _)| **value > 0);
        let told: Vec<_> =
            told.map(|(value, series)| format!("{} {}", count(*value), series.words)).collect();
        let failed = (column.failures > 0).then(|| {
            view! { <rect class="failure" x=x + 3 y=0 width=COLUMN - 6 height=6></rect> }
        });
        let mut told = told;
        told.extend((column.failures > 0).then(|| format!("{} failed", count(column.failures))));
        let told = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
        view! {
            <g>
                <title>{format!("{}: {told}", column.label)}</title>
                <rect class="hit" x=x y=0 width=COLUMN height=HEIGHT + 12></rect>
                {parts}
                {failed}
            </g>
        }
    });
    let bars = bars.collect_view();
    let ends = columns.first().zip(columns.last()).map(|(first, last)| {
        view! { <p class="chart-ends"><span>{first.label.clone()}</span><span>{last.label.clone()}</span></p> }
    });
    let legend = series.iter().map(|series| {
        view! { <li><span class=format!("swatch {}", series.class) aria-hidden="true"></span>{series.words}</li> }
    });
    let legend = legend.collect_view();
    let heads = series.iter().map(|series| view! { <th scope="col">{series.words}</th> }).collect_view();
    let rows =
        columns.iter().filter(|column| column.failures > 0 || column.values.iter().any(|value| *value > 0));
    let rows = rows.map(|column| {
        let cells = column.values.iter().map(|value| view! { <td>{count(*value)}</td> }).collect_view();
        view! {
            <tr>
                <th scope="row">{column.label.clone()}</th>
                {cells}
                {any_failure.then(|| view! { <td>{count(column.failures)}</td> })}
            </tr>
        }
    });
    view! {
        <div class="chart">
            <svg viewBox=format!("0 0 {width} {}", HEIGHT + 13) preserveAspectRatio="none" aria-hidden="true" focusable="false">
                {bars}
                <path class="ground" d=format!("M0 {y}H{width}", y = HEIGHT + 12)></path>
            </svg>
            <div aria-hidden="true">
                {ends}
                <ul class="plain legend">
                    {legend}
                    {any_failure.then(|| view! { <li><span class="swatch failure"></span>"failed (above)"</li> })}
                </ul>
            </div>
            // In a box of its own: a table does not shrink to nothing.
            <div class="visually-hidden"><table>
                <caption>{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Day"</th>
                        {heads}
                        {any_failure.then(|| view! { <th scope="col">"failed"</th> })}
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table></div>
        </div>
    }
}

/// One bar of parts side by side: class and number each. The words stand beside it, so that it is for the eye alone.
pub fn stack(parts: &[(&'static str, i64)]) -> impl IntoView + use<> {
    let total: i64 = parts.iter().map(|(_, number)| number).sum();
    let mut x = 0;
    let some = parts.iter().filter(|(_, number)| *number > 0);
    let rects = some.map(|(class, number)| {
        let width = (number * 1_000 / total.max(1)).max(6);
        let rect = view! { <rect class=*class x=x y=0 width=width height=16></rect> };
        x += width + 2;
        rect
    });
    let rects = rects.collect_view();
    view! {
        <svg class="stack" viewBox=format!("0 0 {} 16", x.max(1)) preserveAspectRatio="none" aria-hidden="true" focusable="false">
            {rects}
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_little_beside_much_is_still_seen_and_nothing_is_not() {
        assert_eq!(tall(1, 100_000), 3);
        assert_eq!(tall(0, 100_000), 0);
        assert_eq!(tall(100_000, 100_000), HEIGHT);
        assert_eq!(tall(50, 100), HEIGHT / 2);
    }

    #[test]
    fn a_chart_has_its_numbers_as_a_table_and_no_inline_style() {
        let series =
            [Series { words: "added", class: "added" }, Series { words: "missing", class: "missing" }];
        let days = vec![
            Column { label: "1 Nov".to_owned(), values: vec![0, 0], failures: 0 },
            Column { label: "2 Nov".to_owned(), values: vec![1_204, 3], failures: 2 },
        ];
        let html = columns("Syncs", &series, days).to_html();
        assert!(html.contains("1,204") && html.contains("2 Nov: 1,204 added, 3 missing"), "{html}");
        assert_eq!(html.matches("class=\"added\"").count(), 1);
        assert!(html.contains("class=\"failure\"") && !html.contains("style="), "{html}");
    }
}
