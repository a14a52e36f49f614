/**
 * Passwords are kept as scrypt (RFC 7914) made them: `scrypt$14$8$5$salt$hash`, log2 N, r, p, and 16 and 32
 * bytes in base64url. N=2^14, r=8, p=5 is OWASP's figure for 16 MiB; one takes about 0.2 s of a core here.
 *
 * So they are made one at a time, on libuv's threads, and few may wait: a storm of logins gets 503s and leaves
 * the other cores, and the thread that takes events, alone.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { CrowdbeatError } from '../base/errors.ts';

export interface PasswordCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

export const passwordCost: PasswordCost = { logN: 14, r: 8, p: 5 };

/** Longer ones are no passwords; scrypt would hash them all the same. */
export const passwordLengthMax = 1024;

const hashBytes = 32;
const parallelMax = 1;
const waitingMax = 32;

export class PasswordHasher {
  readonly #cost: PasswordCost;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param cost tests take less */
  constructor(cost: PasswordCost = passwordCost) {
    this.#cost = cost;
  }

  /** Throws CB_BUSY when too many wait already. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(16);
    const hash = await this.#derive(password, salt, this.#cost);
    const { logN, r, p } = this.#cost;
    return ['scrypt', logN, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
  }

  /**
   * True if it is the password. Without a stored one it is false after the same work, so that nobody learns from
   * the time it takes whether a user exists. Throws CB_BUSY.
   */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const known = stored === undefined ? undefined : parse(stored);
    const { cost, salt, hash } = known ?? this.#nobody();
    const derived = await this.#derive(password, salt, cost);
    return timingSafeEqual(derived, hash) && known !== undefined;
  }

  #nobody(): Parsed {
    return { cost: this.#cost, salt: Buffer.alloc(16), hash: Buffer.alloc(hashBytes) };
  }

  async #derive(password: string, salt: Buffer, { logN, r, p }: PasswordCost): Promise<Buffer> {
    await this.#turn();
    try {
      return await derive(password, salt, { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running < parallelMax) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= waitingMax)
      throw new CrowdbeatError('CB_BUSY', 'too many passwords are being checked; try again');
    // Whoever has ended hands its turn over, so nobody can slip in between.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Changes with every new password, also if the text is the same. */
export const epochOf = (stored: string): string => stored.split('$')[4] ?? '';

interface Parsed {
  readonly cost: PasswordCost;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

function parse(stored: string): Parsed | undefined {
  const [kind, logN, r, p, salt = '', hash = ''] = stored.split('$');
  const bytes = Buffer.from(hash, 'base64url');
  if (kind !== 'scrypt' || bytes.length !== hashBytes) return undefined;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  return { cost, salt: Buffer.from(salt, 'base64url'), hash: bytes };
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One password typed on two machines may come composed and decomposed (RFC 8265).
    scrypt(password.normalize('NFC'), salt, hashBytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
