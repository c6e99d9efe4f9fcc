//! The roles of this program as processes: one line of JSON in, one line of JSON out, as often as needed.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin, stdout},
    process::{self, ChildStdin, ChildStdout, Command, Stdio},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Failure, Measure, Program, Task, database::Databases};

/// A process of this program in another role. It ends when this is dropped.
pub struct Child {
    role: String,
    process: process::Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Child {
    /// Starts a process.
    pub fn start(role: impl ToString) -> Result<Self, Failure> {
        let role = role.to_string();
        let mut process = Command::new(env::current_exe()?)
            .arg(&role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().ok_or("a child without an output")?);
        Ok(Self { role, process, orders, answers })
    }

    /// Gives an order and waits for the answer.
    pub fn ask<T: DeserializeOwned>(&mut self, order: &impl Serialize) -> Result<T, Failure> {
        let orders = self.orders.as_mut().ok_or("a child without an input")?;
        writeln!(orders, "{}", serde_json::to_string(order)?)?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(format!("{} ended without an answer", self.role).into());
        }
        Ok(serde_json::from_str(&answer)?)
    }

    /// Lets a program read the tenant once, in a process of its own: it prepares itself, and then it is measured.
    pub fn once(program: Program, task: &Task, databases: &Databases) -> Result<Measure, Failure> {
        let mut child = Self::start(program)?;
        let () = child.ask(task)?;
        let before = databases.server_cpu()?;
        let measure = child.ask(&())?;
        // Its connections are still open: what they cost is not yet lost among the server's other children.
        Ok(Measure { server_cpu: databases.server_cpu()? - before, ..measure })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The end of its input is what a role waits for.
        drop(self.orders.take());
        if self.process.wait().is_err() {
            let _already_gone = self.process.kill();
        }
    }
}

/// In the child: the next order, `None` when there will be no more.
pub fn order<T: DeserializeOwned>() -> Result<Option<T>, Failure> {
    let mut line = String::new();
    Ok(if stdin().lock().read_line(&mut line)? == 0 { None } else { Some(serde_json::from_str(&line)?) })
}

/// In a child that is measured: everything is prepared; waits until the measurement begins.
pub fn ready() -> Result<(), Failure> {
    answer(&())?;
    order::<()>()?.ok_or_else(|| "nobody measures".into())
}

/// In a child that has answered: waits until nobody looks at it any more.
pub fn over() -> Result<(), Failure> {
    order::<()>().map(drop)
}

/// In the child: the answer to an order.
pub fn answer(value: &impl Serialize) -> Result<(), Failure> {
    writeln!(stdout(), "{}", serde_json::to_string(value)?)?;
    Ok(())
}
