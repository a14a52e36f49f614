/**
 * What proves a document and enriches it. Ingest has it for events, and sessions don't know ingest: whoever
 * knows both hands it in.
 *
 * @typeParam Receipt when and from where a request came, as ingest knows it
 */
export interface HeartbeatDoor<Receipt> {
  /** The rule that the document's shape breaks, in words; undefined if it breaks none. */
  readonly shapeFault: (document: object) => string | undefined;
  /** Epoch ms, whole; undefined if the value is no time. */
  readonly readTime: (value: unknown) => number | undefined;
  /** True if the client's clock may be believed. */
  readonly isTrusted: (timeMs: number, receipt: Receipt) => boolean;
  /** The document with its `_m1`, as one JSON object; the text is the document's own, if it is at hand. */
  readonly enrich: (
    document: Record<string, unknown>,
    text: string | undefined,
    receipt: Receipt,
    isTimeReceived: boolean,
  ) => string;
}
