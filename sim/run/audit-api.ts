/** A way to ask a collector as a user of it, for an audit without a run. */
import { CrowdbeatError } from '../../server/base/errors.ts';
import { parsePropertyName } from '../../server/protocol/property.ts';
import { CollectorApi } from '../audit/collector-api.ts';
import { TargetAccess } from './target-access.ts';

export interface AuditPlace {
  readonly target: URL;
  /** `account/property`. */
  readonly property: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const questionTimeoutMs = 10_000;

/** Throws CrowdbeatError CB_OPTION (no such name), CB_REFUSED or CB_TARGET_UNREACHABLE (the login). */
export async function openAuditApi(
  place: AuditPlace,
): Promise<{ readonly api: CollectorApi; readonly close: () => void }> {
  const { target: url, property: name, username, password } = place;
  const property = parsePropertyName(name);
  if (property === undefined)
    throw new CrowdbeatError(
      'CB_OPTION',
      `property: needs two names such as account/property, got "${name}"`,
    );
  const bearer = await TargetAccess.open({ url, username, password });
  const api = new CollectorApi({ url, property, timeoutMs: questionTimeoutMs, bearer });
  return { api, close: () => bearer.close() };
}
