/**
 * The machine a session ran on, and which class of machine that is. Figures of two classes are never compared:
 * one binary spread 0.3 % within a job and 26 % between two hosts under the same label.
 *
 * Everything comes from files of /proc and /sys and from node:os, through `MachineSources`, so that a test can
 * be any machine. What a system doesn't tell is null.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import {
  arch,
  availableParallelism,
  cpus,
  hostname,
  loadavg,
  platform,
  release,
  totalmem,
  uptime,
} from 'node:os';
import { readHostCounters } from './host-counters.ts';
import type { Environment } from './session.ts';

export interface MachineSources {
  /** Text of a file of /proc or /sys; undefined if it isn't there or can't be read. */
  readonly read: (path: string) => string | undefined;
  readonly exists: (path: string) => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly os: {
    readonly arch: string;
    readonly platform: string;
    readonly cpuModel: string;
    readonly nproc: number;
    readonly memoryBytes: number;
    readonly kernel: string;
    readonly hostname: string;
    readonly uptimeS: number;
    readonly load1: number;
  };
  readonly node: { readonly node: string; readonly v8: string };
}

/** This machine, now. */
export function thisMachine(): MachineSources {
  return {
    read: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        // Not on this system, or not for us: the figure is null.
        return undefined;
      }
    },
    exists: existsSync,
    env: process.env,
    os: {
      arch: arch(),
      platform: platform(),
      cpuModel: cpus()[0]?.model ?? 'unknown',
      nproc: availableParallelism(),
      memoryBytes: totalmem(),
      kernel: release(),
      hostname: hostname(),
      uptimeS: uptime(),
      load1: loadavg()[0] ?? 0,
    },
    node: { node: process.versions.node, v8: process.versions.v8 },
  };
}

/** @param server name and version of the data store, as the collector's /health gives it */
export function readEnvironment(machine: MachineSources, server: Environment['server']): Environment {
  const { os, node } = machine;
  const facts = {
    arch: os.arch,
    platform: os.platform,
    cpuModel: os.cpuModel,
    nproc: os.nproc,
    memMiB: Math.round(os.memoryBytes / 2 ** 20),
    virt: virtualisationOf(machine),
    container: containerOf(machine),
    kernel: os.kernel,
    node: node.node,
    v8: node.v8,
    server,
    cgroup: cgroupOf(machine),
    governor: line(machine, '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    turbo: turboOf(machine),
    smt: switchOf(line(machine, '/sys/devices/system/cpu/smt/active')),
    thp: /\[(\w+)\]/.exec(line(machine, '/sys/kernel/mm/transparent_hugepage/enabled') ?? '')?.[1] ?? null,
    aslr: wholeOf(line(machine, '/proc/sys/kernel/randomize_va_space')),
    clockSource: line(machine, '/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    pmu: machine.exists('/sys/bus/event_source/devices')
      ? machine.exists('/sys/bus/event_source/devices/cpu')
      : null,
    runnerLabel: runnerLabelOf(machine),
  };
  const stealPct = readHostCounters(machine.read)?.stealPctSinceBoot ?? null;
  const observed = { hostname: os.hostname, uptimeS: os.uptimeS, load1: os.load1, stealPct };
  return { envClass: envClassOf(facts), ...facts, observed };
}

/** Over what changes figures: not the host's name, its load, nor the last digits of its versions. */
export function envClassOf(facts: Omit<Environment, 'envClass' | 'observed'>): string {
  const parts = [
    facts.arch,
    facts.cpuModel,
    facts.nproc,
    Math.round(facts.memMiB / 1024),
    facts.virt,
    facts.kernel.split('.').slice(0, 2).join('.'),
    facts.node.split('.')[0],
    facts.server.name,
    facts.server.version,
    facts.cgroup.cpuQuota,
    facts.governor,
    facts.thp,
    facts.aslr,
    facts.runnerLabel,
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function line(machine: MachineSources, path: string): string | null {
  const text = machine.read(path)?.trim();
  return text === undefined || text === '' ? null : text;
}

function wholeOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

function switchOf(text: string | null): boolean | null {
  return text === '0' || text === '1' ? text === '1' : null;
}

function turboOf(machine: MachineSources): boolean | null {
  const off = switchOf(line(machine, '/sys/devices/system/cpu/intel_pstate/no_turbo'));
  return off === null ? switchOf(line(machine, '/sys/devices/system/cpu/cpufreq/boost')) : !off;
}

/** The product's name is `KVM`, `VMware…` and so on in a virtual machine, and the board's on bare metal. */
function virtualisationOf(machine: MachineSources): string {
  const flags = /^flags\s*:.*$/m.exec(machine.read('/proc/cpuinfo') ?? '')?.[0] ?? '';
  if (!/\bhypervisor\b/.test(flags)) return 'none';
  return line(machine, '/sys/class/dmi/id/product_name') ?? 'hypervisor';
}

function containerOf(machine: MachineSources): string | null {
  if (machine.env['KUBERNETES_SERVICE_HOST'] !== undefined) return 'kubernetes';
  if (machine.exists('/.dockerenv')) return 'docker';
  if (machine.exists('/run/.containerenv')) return 'podman';
  return null;
}

/** Of this process's control group, version 2 or 1: CPUs it may use, and bytes. */
function cgroupOf(machine: MachineSources): Environment['cgroup'] {
  const [quota, period] = (line(machine, '/sys/fs/cgroup/cpu.max') ?? '').split(' ').map(Number);
  const oldQuota = Number(line(machine, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? Number.NaN);
  const oldPeriod = Number(line(machine, '/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? Number.NaN);
  const cpuQuota = shareOf(quota, period) ?? shareOf(oldQuota, oldPeriod);
  const memMax =
    wholeOf(line(machine, '/sys/fs/cgroup/memory.max')) ??
    wholeOf(line(machine, '/sys/fs/cgroup/memory/memory.limit_in_bytes'));
  // Version 1 writes "no limit" as the largest number of whole pages.
  return { cpuQuota, memMax: memMax !== null && memMax < 2 ** 53 ? memMax : null };
}

function shareOf(quota: number | undefined, period: number | undefined): number | null {
  const cpus = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : null;
}

/** What a CI service says of its machine, or whatever CROWDBEAT_RUNNER_LABEL says. */
function runnerLabelOf({ env }: MachineSources): string | null {
  const given = env['CROWDBEAT_RUNNER_LABEL'];
  if (given !== undefined && given !== '') return given;
  if (env['GITHUB_ACTIONS'] !== 'true') return null;
  const image = env['ImageOS'] ?? env['RUNNER_OS'] ?? 'unknown';
  return `${env['RUNNER_ENVIRONMENT'] ?? 'github'}-${image}`;
}
