/** The lines of MinusOneDB's simulator, typed where its files would lie, against a closed collector. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeHome, Program, program, until } from './program.testing.ts';

const home = makeHome();
const place = makeHome();
let server: Program;
let url = '';

beforeAll(async () => {
  server = new Program(['serve', '--port', '0', '--closed'], home.path);
  url = (await server.says(/listening on (http:[^\s;]+)/))[1] ?? '';
  // scripts/runSim but for what it prepares, which setup/prepare.test.ts tries: this one must not begin to build.
  const runSim = `#!/bin/sh\nexec '${process.execPath}' '${program}' sim "$@"\n`;
  writeFileSync(join(place.path, 'runSim'), runSim, { mode: 0o755 });
  symlinkSync(fileURLToPath(new URL('stopSim', import.meta.url)), join(place.path, 'stopSim'));
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.ended;
  home.remove();
  place.remove();
});

const children = new Set<ChildProcess>();
afterEach(() => {
  // Only where a test has failed.
  for (const child of children) child.kill('SIGKILL');
});

interface Typed {
  readonly child: ChildProcess;
  readonly printed: () => string;
  readonly ended: Promise<number | null>;
}

function type(line: string, folder = place.path): Typed {
  const child = spawn('sh', ['-c', `exec ${line}`], {
    cwd: folder,
    env: { ...process.env, CROWDBEAT_HOME: place.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  return {
    child,
    printed: () => text,
    ended: new Promise((resolve) =>
      child.once('close', (code) => {
        children.delete(child);
        resolve(code);
      }),
    ),
  };
}

test.each([null, 'stash'])(
  './runSim config.json 20, tail -f *.log and ./stopSim do what they say, session %j',
  async (session) => {
    const { username, password } = JSON.parse(
      readFileSync(join(home.path, '.crowdbeat', 'admin.json'), 'utf8'),
    ) as { username: string; password: string };
    rmSync(join(place.path, 'logs'), { recursive: true, force: true });
    const config = { server: url, session, username, password };
    writeFileSync(join(place.path, 'config.json'), JSON.stringify(config));
    const run = type('./runSim config.json 20');
    const isLive = (): boolean => /20 visitors arrive/.test(run.printed());
    await until('the crowd arrives', () => isLive() || run.child.exitCode !== null);
    expect(isLive(), run.printed()).toBe(true);
    const logs = join(place.path, 'logs');
    await until(`logs of ${run.printed()}`, () => existsSync(logs) && readdirSync(logs).length > 0);
    const tail = type('tail -f *.log', logs);
    await until('a view', () => /view/.test(tail.printed()));
    tail.child.kill('SIGTERM');
    expect(await type('./stopSim').ended).toBe(0);
    expect(await run.ended, run.printed()).toBe(0);
    expect(run.printed()).toMatch(/A crowd of 20 visitors/);
    expect(run.printed()).toMatch(/Audit {6}ok/);
    expect(run.printed()).not.toContain(password);
  },
);
