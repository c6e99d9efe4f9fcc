//! Time, time of the processor and memory of this process, from Linux's `/proc`.

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

fn cpu() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses; behind it, user and system time are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(')').ok_or("/proc/self/stat has another form")?;
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

fn peak_mb() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb: f64 = line.ok_or("/proc/self/status has no VmHWM")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kb / 1_024.0)
}
