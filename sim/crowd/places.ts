/** Where people are: countries with the time zones and languages they use. Weights are made up. */
export interface Place {
  readonly weight: number;
  readonly country: string;
  readonly countryCode: string;
  readonly timeZones: readonly string[];
  readonly languages: readonly string[];
}

export const places: readonly Place[] = [
  {
    weight: 26,
    country: 'United States',
    countryCode: 'US',
    timeZones: [
      'America/New_York',
      'America/New_York',
      'America/Chicago',
      'America/Denver',
      'America/Los_Angeles',
    ],
    languages: ['en-US', 'en-US', 'en-US', 'es-US'],
  },
  {
    weight: 12,
    country: 'Germany',
    countryCode: 'DE',
    timeZones: ['Europe/Berlin'],
    languages: ['de-DE', 'de-DE', 'en-GB'],
  },
  {
    weight: 10,
    country: 'United Kingdom',
    countryCode: 'GB',
    timeZones: ['Europe/London'],
    languages: ['en-GB'],
  },
  { weight: 8, country: 'France', countryCode: 'FR', timeZones: ['Europe/Paris'], languages: ['fr-FR'] },
  {
    weight: 7,
    country: 'India',
    countryCode: 'IN',
    timeZones: ['Asia/Kolkata'],
    languages: ['en-IN', 'hi-IN'],
  },
  { weight: 6, country: 'Japan', countryCode: 'JP', timeZones: ['Asia/Tokyo'], languages: ['ja-JP'] },
  {
    weight: 6,
    country: 'Brazil',
    countryCode: 'BR',
    timeZones: ['America/Sao_Paulo', 'America/Sao_Paulo', 'America/Manaus'],
    languages: ['pt-BR'],
  },
  {
    weight: 5,
    country: 'Spain',
    countryCode: 'ES',
    timeZones: ['Europe/Madrid'],
    languages: ['es-ES', 'ca-ES'],
  },
  { weight: 5, country: 'Italy', countryCode: 'IT', timeZones: ['Europe/Rome'], languages: ['it-IT'] },
  {
    weight: 4,
    country: 'Netherlands',
    countryCode: 'NL',
    timeZones: ['Europe/Amsterdam'],
    languages: ['nl-NL', 'en-GB'],
  },
  { weight: 4, country: 'Poland', countryCode: 'PL', timeZones: ['Europe/Warsaw'], languages: ['pl-PL'] },
  {
    weight: 4,
    country: 'Canada',
    countryCode: 'CA',
    timeZones: ['America/Toronto', 'America/Vancouver'],
    languages: ['en-CA', 'fr-CA'],
  },
  {
    weight: 3,
    country: 'Australia',
    countryCode: 'AU',
    timeZones: ['Australia/Sydney', 'Australia/Perth'],
    languages: ['en-AU'],
  },
];
