//! Fresh databases, which go when the benchmark has ended.

use std::{cell::Cell, env, fs, path::Path, process::Command, str::FromStr};

use tempfile::TempDir;

use crate::{Failure, Program, meter};

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        }
    }
}

impl FromStr for Engine {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            _ => Err(format!("{text} is no engine: write sqlite or postgres").into()),
        }
    }
}

/// The databases of one engine.
pub struct Databases {
    /// Which one.
    pub engine: Engine,
    place: Place,
    made: Cell<usize>,
}

enum Place {
    Folder(TempDir),
    Server {
        address: String,
        /// The number of its first process; `None` for one on another machine.
        process: Option<u32>,
    },
}

impl Databases {
    /// Databases of this engine.
    pub fn of(engine: Engine) -> Result<Self, Failure> {
        let place = match engine {
            Engine::Sqlite => Place::Folder(tempfile::tempdir()?),
            Engine::Postgres => {
                let address = env::var("ROLLCALL_TEST_POSTGRES").map_err(|_| {
                    "ROLLCALL_TEST_POSTGRES is not set: export ROLLCALL_TEST_POSTGRES=$(scripts/postgres start DIR), or \
                     ROLLCALL_BENCH_ENGINES=sqlite"
                })?;
                let folder = psql(&address, "SHOW data_directory")?;
                let file = fs::read_to_string(Path::new(folder.trim()).join("postmaster.pid"));
                let process = file.ok().and_then(|text| text.lines().next()?.trim().parse().ok());
                Place::Server { address, process }
            }
        };
        Ok(Self { engine, place, made: Cell::new(0) })
    }

    /// The address of a new database; `None` for a program that keeps nothing.
    pub fn fresh(&self, program: Program) -> Result<Option<String>, Failure> {
        if program == Program::Download {
            return Ok(None);
        }
        let number = self.made.replace(self.made.get() + 1);
        match &self.place {
            Place::Folder(folder) => {
                Ok(Some(format!("sqlite://{}", folder.path().join(format!("{number}.db")).display())))
            }
            Place::Server { address, .. } => {
                let name = name(number);
                psql(address, &format!("CREATE DATABASE {name}"))?;
                let base = address.rsplit_once('/').ok_or("ROLLCALL_TEST_POSTGRES names no database")?.0;
                Ok(Some(format!("{base}/{name}")))
            }
        }
    }
}

impl Databases {
    /// Seconds of the processor that the server has taken so far; 0 without one, or when it cannot be seen.
    pub fn server_cpu(&self) -> Result<f64, Failure> {
        match &self.place {
            Place::Server { process: Some(process), .. } => meter::cpu_of_family(*process),
            Place::Folder(_) | Place::Server { process: None, .. } => Ok(0.0),
        }
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        if let Place::Server { address, .. } = &self.place {
            for number in 0..self.made.get() {
                let _the_server_goes_anyway =
                    psql(address, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", name(number)));
            }
        }
    }
}

fn name(number: usize) -> String {
    format!("bench_{}_{number}", std::process::id())
}

fn psql(server: &str, statement: &str) -> Result<String, Failure> {
    let output = Command::new("psql").args([server, "-qAtc", statement]).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}
