/**
 * One record of a geo database, whoever made it, becomes `_m1.geo`. Three shapes are read:
 *
 *   GeoIP2, GeoLite2   {country: {iso_code}, subdivisions: [{iso_code, names}], city: {names}, location: {latitude, …}}
 *   DB-IP's own        the same, with names of subdivisions but no codes, and no time zone
 *   ip-location-db     {country_code, state1, city, latitude, longitude, timezone}; '' for what is not known
 *
 * A code or a time zone that the record lacks is derived: from the subdivision's name, from the coordinates.
 */
import findTimeZone from '@photostructure/tz-lookup';
import { subdivisionCode } from './subdivisions.ts';

/** Under these names in documents; a member that is not known is left out. */
export interface GeoPlace {
  readonly country_iso_code?: string;
  readonly subdivision_1_iso_code?: string;
  readonly city_name?: string;
  /** IANA name. */
  readonly time_zone?: string;
  /** Degrees, north and east positive. */
  readonly latitude?: number;
  readonly longitude?: number;
}

type Members = Record<string, unknown>;

interface Found {
  readonly country: string | undefined;
  readonly subdivisionCode: string | undefined;
  readonly subdivision: string | undefined;
  readonly city: string | undefined;
  readonly timeZone: string | undefined;
  readonly latitude: unknown;
  readonly longitude: unknown;
}

export function readPlace(record: unknown): GeoPlace {
  if (!isMembers(record)) return {};
  const found = 'country_code' in record ? readFlat(record) : readNested(record);
  const { country, city, subdivision } = found;
  const where = readCoordinates(found);
  const code =
    found.subdivisionCode ??
    (country === undefined || subdivision === undefined ? undefined : subdivisionCode(country, subdivision));
  // Of a country alone the coordinates are its middle, whose time need not be the visitor's.
  const isLocated = city !== undefined || subdivision !== undefined || code !== undefined;
  const zone = found.timeZone ?? (where !== undefined && isLocated ? zoneOf(where) : undefined);
  return {
    ...(country === undefined ? {} : { country_iso_code: country }),
    ...(code === undefined ? {} : { subdivision_1_iso_code: code }),
    ...(city === undefined ? {} : { city_name: city }),
    ...(zone === undefined ? {} : { time_zone: zone }),
    ...where,
  };
}

function readFlat(record: Members): Found {
  const { latitude, longitude } = record;
  return {
    country: text(record['country_code']),
    subdivisionCode: undefined,
    subdivision: text(record['state1']),
    city: text(record['city']),
    timeZone: text(record['timezone']),
    latitude,
    longitude,
  };
}

function readNested(record: Members): Found {
  const { subdivisions } = record;
  const subdivision = members(Array.isArray(subdivisions) ? subdivisions[0] : undefined);
  const location = members(record['location']);
  return {
    country: text(members(record['country'])['iso_code']),
    subdivisionCode: text(subdivision['iso_code']),
    subdivision: text(members(subdivision['names'])['en']),
    city: text(members(members(record['city'])['names'])['en']),
    timeZone: text(location['time_zone']),
    latitude: location['latitude'],
    longitude: location['longitude'],
  };
}

interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

function readCoordinates({ latitude, longitude }: Found): Coordinates | undefined {
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return undefined;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  return { latitude: fourDecimals(latitude), longitude: fourDecimals(longitude) };
}

/** Some databases hold 32-bit floats, in which 51.4 is 51.400001525878906. Four decimals are 11 m. */
const fourDecimals = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;

const zoneOf = ({ latitude, longitude }: Coordinates): string => findTimeZone(latitude, longitude);

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null;

const members = (value: unknown): Members => (isMembers(value) ? value : {});

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
