/** From a stored text to the document that questions see. */
import type { Document } from '../../protocol/lucene/values-at.ts';

const nothing: Document = {};

/** What is stored and is no JSON object has no fields: it is counted, and shown empty. */
export function parseDocument(text: string): Document {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Document)
      : nothing;
  } catch {
    // Every event is proven before it is stored; this one was not written by a collector.
    return nothing;
  }
}

/** Whether the text that was parsed was a JSON object. */
export const isDocument = (parsed: Document): boolean => parsed !== nothing;
