//! Who holds a lease: a process of a host, told apart from every other one that ever ran there.
//!
//! An owner that was killed cannot give its lease back. On another host one has to wait until the lease expires; on this one the process
//! can be looked up, and a dead owner is replaced at once.

use std::fs;

use domain::Random;

/// A process as `host/boot/pid/start`. `boot` is the kernel's boot id and `start` the process's start in clock ticks since then (both from
/// `/proc`): a reused process number after a crash or a reboot is not mistaken for the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner(String);

impl Owner {
    /// This process. Where there is no `/proc`, `start` is drawn by chance: such an owner is never taken for a dead one, its lease expires.
    pub(crate) fn this_process(random: &dyn Random) -> Self {
        let pid = std::process::id();
        let start = start_of(pid).unwrap_or_else(|| {
            let token = random.token();
            token.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
        });
        Self(format!("{}/{}/{pid}/{start}", host(), boot()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the owner of that name was a process of this host that is certainly gone.
    pub(crate) fn is_dead(name: &str) -> bool {
        let parts: Vec<_> = name.split('/').collect();
        let [its_host, its_boot, pid, start] = parts.as_slice() else { return false };
        let boot = boot();
        if boot.is_empty() || *its_host != host() {
            return false;
        }
        if *its_boot != boot {
            return true;
        }
        match pid.parse() {
            // A process that cannot be found is gone; one with another start reuses the number.
            Ok(pid) => start_of(pid).as_deref() != Some(*start),
            Err(_) => false,
        }
    }
}

/// The host's name and the process-number space: a container of the same name has process numbers of its own.
fn host() -> String {
    let space = fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{} {space}", read("/proc/sys/kernel/hostname")).replace('/', "_")
}

fn boot() -> String {
    read("/proc/sys/kernel/random/boot_id")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Field 22 of `/proc/<pid>/stat`. The second field is the command in parentheses, which may itself hold spaces and parentheses.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_command) = stat.rsplit_once(')')?;
    after_command.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoChance;

    impl Random for NoChance {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn this_process_lives_and_is_named_alike_each_time() {
        let owner = Owner::this_process(&NoChance);
        assert_eq!(owner, Owner::this_process(&NoChance));
        assert!(!Owner::is_dead(owner.as_str()));
    }

    #[test]
    fn a_process_that_ended_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let name = format!("{}/{}/{}/{}", host(), boot(), child.id(), start_of(child.id()).unwrap());
        assert!(!Owner::is_dead(&name));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Owner::is_dead(&name));
    }

    #[test]
    fn a_reused_number_and_an_earlier_boot_are_dead_and_another_host_is_not() {
        let pid = std::process::id();
        let start = start_of(pid).unwrap();
        assert!(Owner::is_dead(&format!("{}/{}/{pid}/1{start}", host(), boot())));
        assert!(Owner::is_dead(&format!("{}/another-boot/{pid}/{start}", host())));
        assert!(!Owner::is_dead(&format!("elsewhere/another-boot/{pid}/1")));
        assert!(!Owner::is_dead("nonsense"));
    }
}
