import { expect, it } from 'vitest';
import { epochOf, PasswordHasher, passwordCost } from './password.ts';

const cheap = { logN: 4, r: 8, p: 1 };

it('a password is verified, another is not, and nothing of it stands in what is kept', async () => {
  const hasher = new PasswordHasher(cheap);
  const stored = await hasher.hash('open sesame');
  expect(stored).not.toContain('sesame');
  expect(await hasher.verify('open sesame', stored)).toBe(true);
  expect(await hasher.verify('open sesamE', stored)).toBe(false);
  expect(await hasher.verify('', stored)).toBe(false);
});

it('the same password twice is kept differently, and is another epoch', async () => {
  const hasher = new PasswordHasher(cheap);
  const [one, two] = [await hasher.hash('same'), await hasher.hash('same')];
  expect(one).not.toBe(two);
  expect(epochOf(one)).not.toBe(epochOf(two));
});

it('what was kept at another cost is verified at that cost', async () => {
  const stored = await new PasswordHasher(cheap).hash('old');
  expect(await new PasswordHasher({ logN: 5, r: 8, p: 2 }).verify('old', stored)).toBe(true);
});

it('nobody’s password is never right, whatever it is, and what can’t be read is nobody’s', async () => {
  const hasher = new PasswordHasher(cheap);
  for (const stored of [undefined, '', 'plain text', 'scrypt$4$8$1$$', `scrypt$4$8$1$AA$${'A'.repeat(43)}x`])
    for (const password of ['', 'plain text']) expect(await hasher.verify(password, stored)).toBe(false);
});

it('the cost of a real one is OWASP’s', () => {
  expect(passwordCost).toEqual({ logN: 14, r: 8, p: 5 });
});

it('one is worked on at a time, few wait, and the rest are told to come again', async () => {
  const hasher = new PasswordHasher({ logN: 10, r: 8, p: 1 });
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => hasher.hash('x')));
  const refused = all.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  expect(refused).toHaveLength(7);
  expect(refused[0]?.reason).toMatchObject({ code: 'CB_BUSY' });
  expect(await hasher.hash('x')).toContain('scrypt$10$');
});
