//! Time, time of the processor and memory of processes, from Linux's `/proc`.

use std::{fs, time::Instant};

use crate::Failure;

/// Linux counts in hundredths of a second for whoever asks, whatever the kernel's own ticks are.
const TICKS: f64 = 100.0;

/// A measurement under way.
pub struct Meter {
    began: Instant,
    cpu: f64,
}

/// What was measured.
pub struct Reading {
    /// Seconds.
    pub wall: f64,
    /// Seconds of the processor, of all threads, in user and kernel mode.
    pub cpu: f64,
    /// The largest memory since the process began, in MB.
    pub peak_mb: f64,
}

impl Meter {
    /// Begins.
    pub fn start() -> Result<Self, Failure> {
        Ok(Self { cpu: cpu()?, began: Instant::now() })
    }

    /// Ends.
    pub fn read(self) -> Result<Reading, Failure> {
        Ok(Reading { wall: self.began.elapsed().as_secs_f64(), cpu: cpu()? - self.cpu, peak_mb: peak_mb()? })
    }
}

/// The fields of a process's `stat` behind its name, which stands in parentheses and may hold anything.
fn stat(process: &str) -> Result<Vec<f64>, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/…/stat has another form")?;
    // The first is the state, a letter; of the others the last ones are too large to matter here.
    Ok(fields.split_whitespace().skip(1).map(|field| field.parse().unwrap_or_default()).collect())
}

/// User and system time stand there, and then those of children that have ended.
const TIMES: usize = 10;

fn seconds(fields: &[f64], times: usize) -> f64 {
    fields.iter().skip(TIMES).take(times).sum::<f64>() / TICKS
}

fn cpu() -> Result<f64, Failure> {
    Ok(seconds(&stat("self")?, 2))
}

/// Seconds of the processor that a process and its children have taken, those that have ended included.
pub fn cpu_of_family(parent: u32) -> Result<f64, Failure> {
    let mut sum = seconds(&stat(&parent.to_string())?, 4);
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        // One that ends meanwhile is counted with the parent next time.
        let Ok(fields) = stat(name) else { continue };
        if fields.first() == Some(&f64::from(parent)) {
            sum += seconds(&fields, 2);
        }
    }
    Ok(sum)
}

fn peak_mb() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb: f64 = line.ok_or("/proc/self/status has no VmHWM")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kb / 1_024.0)
}
