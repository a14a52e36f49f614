/** The types of own-checks.mjs for its tests. */
export interface Finding {
  readonly line: number;
  readonly message: string;
}

export type Check = (path: string, text: string) => Finding[];

export const ownChecks: Record<'floors' | 'doorways' | 'chance' | 'size' | 'tests', Check>;
