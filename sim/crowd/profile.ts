/**
 * What a person's browser says about them. All texts are printable ASCII without quote or backslash, so
 * that they can stand in JSON and in HTTP headers as they are. Plain data: it may be sent to workers.
 */
export interface Profile {
  /** A first name, for logs that people follow. */
  readonly name: string;
  readonly userAgent: string;
  readonly device: 'desktop' | 'mobile' | 'tablet';
  readonly browser: string;
  readonly os: string;
  /** CSS pixels, `1920x1080`. */
  readonly screen: string;
  /** BCP 47, `de-DE`. */
  readonly language: string;
  /** IANA, `Europe/Berlin`. */
  readonly timeZone: string;
  readonly city: string;
  readonly country: string;
  /** ISO 3166-1 alpha-2, `DE`. */
  readonly countryCode: string;
}
