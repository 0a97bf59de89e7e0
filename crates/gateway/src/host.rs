//! This machine: processor, memory, disks, network and load, under Prometheus-style names.

use std::collections::BTreeSet;

use bellwether_core::sample::Kind;
use bellwether_core::time::TimestampMs;
use sysinfo::{Disk, DiskRefreshKind, Disks, MINIMUM_CPU_UPDATE_INTERVAL, Networks, System};

use crate::clock::Stopwatch;
use crate::own::OwnBatch;

/// Disks change slowly and asking them can be slow: once in so many samplings.
const DISKS_EVERY: u32 = 10;
/// Most disks and most network devices that are reported; machines full of containers have hundreds.
const MAX_DEVICES: usize = 16;

/// Why this machine cannot be sampled.
#[derive(Debug, thiserror::Error)]
#[error("this machine's figures cannot be read: {0}")]
pub(crate) struct HostError(#[from] sysinfo::Error);

/// Samples this machine.
pub(crate) struct Host {
    system: System,
    disks: Disks,
    networks: Networks,
    samplings: u32,
    /// Since the first look.
    opened: Stopwatch,
}

impl Host {
    /// Opens the machine's sources and takes a first look, which later figures are compared with.
    ///
    /// # Errors
    /// [`HostError`] where the operating system gives no figures.
    pub(crate) fn open() -> Result<Self, HostError> {
        let mut system = System::new()?;
        system.refresh_cpu_usage();
        let opened = Stopwatch::start();
        Ok(Self { system, disks: Disks::new()?, networks: Networks::new()?, samplings: 0, opened })
    }

    /// Adds what the machine does at `at`. A figure that the system does not give is left out.
    pub(crate) fn sample(&mut self, at: TimestampMs, batch: &mut OwnBatch) {
        self.processor(at, batch);
        self.memory(at, batch);
        if self.samplings.is_multiple_of(DISKS_EVERY) {
            self.disks(at, batch);
        }
        self.network(at, batch);
        load(at, batch);
        self.samplings = self.samplings.wrapping_add(1);
    }

    fn processor(&mut self, at: TimestampMs, batch: &mut OwnBatch) {
        // Sooner there is no second look, and the figures would be those since the machine was started.
        if self.opened.elapsed() < MINIMUM_CPU_UPDATE_INTERVAL {
            return;
        }
        self.system.refresh_cpu_usage();
        let share = |percent: f32| f64::from(percent) / 100.0;
        batch.add("host_cpu_usage_ratio", &[], Kind::Gauge, at, share(self.system.global_cpu_usage()));
        for (core, cpu) in self.system.cpus().iter().enumerate() {
            let core = core.to_string();
            batch.add("host_cpu_core_usage_ratio", &[("core", &core)], Kind::Gauge, at, share(cpu.usage()));
        }
    }

    fn memory(&mut self, at: TimestampMs, batch: &mut OwnBatch) {
        self.system.refresh_memory();
        let (used, total) = (self.system.used_memory() as f64, self.system.total_memory() as f64);
        batch.add("host_memory_used_bytes", &[], Kind::Gauge, at, used);
        batch.add("host_memory_total_bytes", &[], Kind::Gauge, at, total);
        if total > 0.0 {
            batch.add("host_memory_usage_ratio", &[], Kind::Gauge, at, used / total);
        }
        batch.add("host_swap_used_bytes", &[], Kind::Gauge, at, self.system.used_swap() as f64);
    }

    fn disks(&mut self, at: TimestampMs, batch: &mut OwnBatch) {
        self.disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
        let mut seen = BTreeSet::new();
        for disk in &self.disks {
            let total = disk.total_space() as f64;
            let mount = disk.mount_point().to_string_lossy();
            // One disk can be mounted in many places (as containers do): its first place counts.
            let first = seen.insert((disk.name().to_owned(), disk.total_space()));
            if total <= 0.0 || !first || seen.len() > MAX_DEVICES {
                continue;
            }
            let Space { used, available } = Space::of(disk);
            let labels = [("mount", &*mount)];
            batch.add("host_disk_used_bytes", &labels, Kind::Gauge, at, used);
            batch.add("host_disk_total_bytes", &labels, Kind::Gauge, at, total);
            if used + available > 0.0 {
                batch.add("host_disk_usage_ratio", &labels, Kind::Gauge, at, used / (used + available));
            }
        }
    }

    fn network(&mut self, at: TimestampMs, batch: &mut OwnBatch) {
        self.networks.refresh(true);
        let mut devices: Vec<_> = self.networks.iter().filter(|(name, _)| *name != "lo").collect();
        devices.sort_by_key(|(name, _)| *name);
        for (name, device) in devices.into_iter().take(MAX_DEVICES) {
            let name = name.to_string_lossy();
            let labels = [("device", &*name)];
            let (received, sent) = (device.total_received() as f64, device.total_transmitted() as f64);
            batch.add("host_network_receive_bytes_total", &labels, Kind::Counter, at, received);
            batch.add("host_network_transmit_bytes_total", &labels, Kind::Counter, at, sent);
        }
    }
}

/// Bytes of a disk as `df` tells them: what the system reserves for itself is neither used nor available, so that the
/// two need not add up to the disk's size.
struct Space {
    used: f64,
    available: f64,
}

impl Space {
    #[cfg(unix)]
    fn of(disk: &Disk) -> Self {
        rustix::fs::statvfs(disk.mount_point()).map_or_else(
            |_| Self::without_reserve(disk),
            |found| {
                let bytes = |blocks: u64| blocks as f64 * found.f_frsize as f64;
                Self { used: bytes(found.f_blocks.saturating_sub(found.f_bfree)), available: bytes(found.f_bavail) }
            },
        )
    }

    #[cfg(not(unix))]
    fn of(disk: &Disk) -> Self {
        Self::without_reserve(disk)
    }

    /// Where a system does not tell what it reserves.
    fn without_reserve(disk: &Disk) -> Self {
        let (total, available) = (disk.total_space() as f64, disk.available_space() as f64);
        Self { used: total - available, available }
    }
}

fn load(at: TimestampMs, batch: &mut OwnBatch) {
    if let Ok(load) = System::load_average() {
        batch.add("host_load1", &[], Kind::Gauge, at, load.one);
        batch.add("host_load5", &[], Kind::Gauge, at, load.five);
        batch.add("host_load15", &[], Kind::Gauge, at, load.fifteen);
    }
    if let Ok(uptime) = System::uptime() {
        batch.add("host_uptime_seconds", &[], Kind::Gauge, at, uptime as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_disk_is_as_full_as_the_system_says() {
        // The columns "used" and "available" of POSIX, in blocks of 1,024 bytes.
        let said = std::process::Command::new("df").args(["-kP", "/"]).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let columns: Vec<f64> =
            said.lines().nth(1).unwrap().split_whitespace().filter_map(|w| w.parse().ok()).collect();
        let disks = Disks::new().unwrap();
        let Some(root) = disks.iter().find(|disk| disk.mount_point() == std::path::Path::new("/")) else { return };
        let Space { used, available } = Space::of(root);
        let (used_said, available_said) = (columns[1] * 1_024.0, columns[2] * 1_024.0);
        // Others write to the disk between the two looks.
        let share = |used: f64, available: f64| used / (used + available);
        assert!((share(used, available) - share(used_said, available_said)).abs() < 0.02, "{used} of {said}");
    }

    fn sampled(host: &mut Host) -> impl Fn(&str) -> Option<f64> + use<> {
        let mut batch = OwnBatch::default();
        host.sample(TimestampMs::new(1_000), &mut batch);
        let samples = batch.into_samples();
        move |name| Some(samples.iter().find(|found| found.key.metric.as_str() == name)?.sample.value())
    }

    #[test]
    fn a_machine_has_a_processor_and_memory() {
        let mut host = Host::open().unwrap();
        while host.opened.elapsed() < MINIMUM_CPU_UPDATE_INTERVAL {
            std::thread::yield_now();
        }
        let value = sampled(&mut host);
        assert!(value("host_cpu_usage_ratio").is_some_and(|share| (0.0..=1.0).contains(&share)));
        assert!(value("host_memory_total_bytes") > value("host_memory_used_bytes"));
        assert!(value("host_uptime_seconds") > Some(0.0));
    }

    #[test]
    fn the_processor_since_the_machine_was_started_is_no_sample() {
        let mut host = Host::open().unwrap();
        host.opened = Stopwatch::start();
        let value = sampled(&mut host);
        // Where this took longer than the interval, there was a second look.
        if host.opened.elapsed() < MINIMUM_CPU_UPDATE_INTERVAL {
            assert_eq!(value("host_cpu_usage_ratio"), None);
            assert_eq!(value("host_cpu_core_usage_ratio"), None);
        }
        assert!(value("host_memory_total_bytes").is_some());
    }
}
