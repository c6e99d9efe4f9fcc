//! What was measured, for a person and as JSON.

use std::io::{Write as _, stdout};

use serde_json::json;

use crate::{FAR, Failure, Measure, Program, database::Engine};

/// A first sync takes at most so many times the limit.
const LIMIT_AIM: f64 = 3.0;
/// From a tenant that is far away it takes at most so many times the download.
const DOWNLOAD_AIM: f64 = 1.1;
/// The memory of a first sync of 100,000 users, in MB.
const MEMORY_AIM: f64 = 120.0;
/// When nothing has happened, users and groups are a page each.
const QUIET_AIM: i64 = 2;

/// The programs in one circumstance.
pub struct Line {
    circumstance: &'static str,
    users: usize,
    engine: Engine,
    latency: u64,
    measures: Vec<(Program, Measure)>,
}

impl Line {
    /// What was measured.
    pub const fn of(
        circumstance: &'static str,
        users: usize,
        engine: Engine,
        latency: u64,
        measures: Vec<(Program, Measure)>,
    ) -> Self {
        Self { circumstance, users, engine, latency, measures }
    }

    fn wall(&self, program: Program) -> f64 {
        self.measures.iter().find(|(of, _)| *of == program).map_or(f64::NAN, |(_, measure)| measure.wall)
    }
}

/// Everything that was printed, and what is to follow.
#[derive(Default)]
pub struct Tables {
    json: Vec<String>,
    aims: Vec<String>,
}

impl Tables {
    /// Begins a table.
    pub fn heading(&self, users: usize, engine: Engine) -> Result<(), Failure> {
        writeln!(
            stdout(),
            "\n{users} users, {}\n{:<24} {:<9} {:>8} {:>8} {:>10} {:>9} {:>7} {:>7} {:>8} {:>8} {:>8}",
            engine.name(),
            "",
            "",
            "wall s",
            "× limit",
            "× download",
            "objects/s",
            "CPU s",
            "server",
            "peak MB",
            "requests",
            "MB read",
        )?;
        Ok(())
    }

    /// Adds the lines of one circumstance.
    pub fn add(&mut self, line: &Line) -> Result<(), Failure> {
        let mut out = stdout();
        let circumstance = match line.latency {
            0 => line.circumstance.to_owned(),
            ms => format!("{}, {ms} ms away", line.circumstance),
        };
        for (program, measure) in &line.measures {
            let to_limit = measure.wall / line.wall(Program::Limit);
            let to_download = measure.wall / line.wall(Program::Download);
            #[expect(clippy::cast_precision_loss, reason = "figures for a table")]
            let (rate, mb) = (measure.objects as f64 / measure.wall, measure.bytes as f64 / 1e6);
            writeln!(
                out,
                "{circumstance:<24} {program:<9} {:>8.2} {to_limit:>8.2} {to_download:>10.2} {rate:>9.0} {:>7.2} {:>7.2} {:>8.1} {:>8} {mb:>8.1}",
                measure.wall, measure.cpu, measure.server_cpu, measure.peak_mb, measure.requests,
            )?;
            if !measure.remark.is_empty() {
                writeln!(out, "{:<24} {}", "", measure.remark)?;
            }
            self.json.push(
                json!({
                    "users": line.users,
                    "engine": line.engine.name(),
                    "circumstance": line.circumstance,
                    "latency_ms": line.latency,
                    "program": program,
                    "wall_s": short(measure.wall),
                    "to_limit": short(to_limit),
                    "to_download": short(to_download),
                    "objects_per_s": short(rate),
                    "cpu_s": short(measure.cpu),
                    "server_cpu_s": short(measure.server_cpu),
                    "peak_mb": short(measure.peak_mb),
                    "requests": measure.requests,
                    "pages": measure.pages,
                    "bytes": measure.bytes,
                })
                .to_string(),
            );
            if *program == Program::Sync {
                self.judge(line, measure, to_limit, to_download);
            }
        }
        Ok(())
    }

    fn judge(&mut self, line: &Line, sync: &Measure, to_limit: f64, to_download: f64) {
        let mut aim = |met: bool, figure: String| {
            let verdict = if met { "met   " } else { "missed" };
            self.aims.push(format!("{verdict} {} users, {}: {figure}", line.users, line.engine.name()));
        };
        match (line.circumstance, line.latency) {
            ("everything", 0) => {
                aim(to_limit <= LIMIT_AIM, format!("first sync {to_limit:.2} × limit (at most {LIMIT_AIM})"));
                if line.users >= 100_000 {
                    let peak = sync.peak_mb;
                    aim(peak <= MEMORY_AIM, format!("first sync {peak:.0} MB (at most {MEMORY_AIM:.0})"));
                }
            }
            ("everything", FAR) => aim(
                to_download <= DOWNLOAD_AIM,
                format!("first sync {to_download:.2} × download at {FAR} ms (at most {DOWNLOAD_AIM})"),
            ),
            ("nothing new", _) => {
                aim(
                    sync.pages == QUIET_AIM,
                    format!("{} pages when nothing is new (exactly {QUIET_AIM})", sync.pages),
                );
            }
            _ => {}
        }
    }

    /// Prints what stands below the tables.
    pub fn end(self) -> Result<(), Failure> {
        let mut out = stdout();
        writeln!(out, "\nAims")?;
        for aim in self.aims {
            writeln!(out, "{aim}")?;
        }
        writeln!(out)?;
        for json in self.json {
            writeln!(out, "{json}")?;
        }
        Ok(())
    }
}

/// A figure without digits that were never measured.
fn short(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
