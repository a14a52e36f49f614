/** The connection that asks Redis how durable commits are: made when the first writer wants to know. */
import { type ConnectOptions, connectRedis, type RedisConnection } from '../store/connection.ts';
import { Confirmations } from '../store/durability.ts';

interface Open {
  readonly connection: RedisConnection;
  readonly confirmations: Confirmations;
}

export class Confirming {
  readonly #redisUrl: string;
  readonly #options: ConnectOptions | undefined;
  #open: Promise<Open> | undefined;

  constructor(redisUrl: string, options: ConnectOptions | undefined) {
    this.#redisUrl = redisUrl;
    this.#options = options;
  }

  /** Rejects with CB_REDIS_UNREACHABLE; the next call tries again. */
  async open(): Promise<Confirmations> {
    this.#open ??= this.#connect();
    try {
      return (await this.#open).confirmations;
    } catch (error) {
      this.#open = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = await this.#open?.catch(() => undefined);
    await open?.connection.close();
  }

  async #connect(): Promise<Open> {
    const connection = await connectRedis(this.#redisUrl, this.#options);
    return { connection, confirmations: new Confirmations(connection) };
  }
}
