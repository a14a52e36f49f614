/**
 * The suites of the store once more, on three masters and three replicas: whatever holds for one server must hold
 * where commits are routed, and where all keys of a script must lie in one slot.
 */
import { afterAll, describe, vi } from 'vitest';
import type { TestCluster } from './cluster.testing.ts';

const shared = vi.hoisted(() => ({ cluster: undefined as Promise<TestCluster> | undefined }));

vi.mock('./redis.testing.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof import('./redis.testing.ts')>()),
  startTestRedis: async () => {
    // Imported when it is needed: it uses the rest of this module itself.
    const { startTestCluster } = await import('./cluster.testing.ts');
    shared.cluster ??= startTestCluster('--enable-debug-command', 'yes');
    return { ...(await shared.cluster), stop: () => Promise.resolve() };
  },
}));

afterAll(async () => (await shared.cluster)?.stop());

describe('in a cluster: commits', () => import('./store.test.ts').then(() => undefined));
describe('in a cluster: any commits', () => import('./store.prop.test.ts').then(() => undefined));
describe('in a cluster: sessions', () => import('./session-life.test.ts').then(() => undefined));
describe('in a cluster: deleting', () => import('./delete-property.test.ts').then(() => undefined));
