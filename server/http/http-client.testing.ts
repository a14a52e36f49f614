/** Raw sockets for tests: what is sent and received is what stands in the test, byte by byte. */
import { connect, type Socket } from 'node:net';

export interface RawReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection; replies are read one after the other. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #isEnded = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true).setEncoding('utf8');
    this.socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    const onEnd = (): void => {
      this.#isEnded = true;
      this.#wake();
    };
    // A reset is one way for a connection to end; what was received before it still counts.
    this.socket.on('error', onEnd).on('close', onEnd).on('end', onEnd);
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** The next whole reply. Rejects when the connection ends before it. */
  async reply(): Promise<RawReply> {
    for (;;) {
      const reply = this.#takeReply();
      if (reply !== undefined) return reply;
      if (this.#isEnded) throw new Error(`the connection ended after "${this.#received}"`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when the server has closed the connection. */
  async ended(): Promise<void> {
    while (!this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #takeReply(): RawReply | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [statusLine = '', ...lines] = this.#received.slice(0, headEnd).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const end = headEnd + 4 + Number(headers['content-length'] ?? 0);
    if (this.#received.length < end) return undefined;
    const body = this.#received.slice(headEnd + 4, end);
    this.#received = this.#received.slice(end);
    return { status: Number(statusLine.split(' ')[1]), headers, body };
  }
}

/** The text of a `POST /write` with the right length. */
export function writeRequest(
  body: string | Buffer,
  headers = 'content-type: application/json',
  path = '/write',
): Buffer {
  const bytes = Buffer.from(body as string);
  const head = `POST ${path} HTTP/1.1\r\nhost: test\r\n${headers}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}
